"""Evaluates expansions: values, outcomes, registries, the compiler and the run-time context.

Owns what a string expansion means. Must not touch the outside world except through the
protocols of :mod:`eximious.interpreter.protocols`.
"""
