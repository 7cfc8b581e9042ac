"""Read, check and run Exim mail-server configurations without a mail server."""
