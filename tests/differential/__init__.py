"""Comparing with a real Exim: how it is asked, random expansions, shrinking, reports."""
