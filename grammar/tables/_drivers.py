"""Made by tools/make_tables.py from drivers.json: do not edit."""

# ruff: noqa
# fmt: off
COLUMNS = ('since', 'until', 'guard', 'history')
ROWS: dict[str, object] = {
 'auth': {
  'cram_md5': (None, None, 'AUTH_CRAM_MD5', None),
  'cyrus_sasl': (None, None, 'AUTH_CYRUS_SASL', None),
  'dovecot': (None, None, 'AUTH_DOVECOT', None),
  'external': (93, None, 'AUTH_EXTERNAL', None),
  'gsasl': (None, None, 'AUTH_GSASL', None),
  'heimdal_gssapi': (None, None, 'AUTH_HEIMDAL_GSSAPI', None),
  'plaintext': (None, None, 'AUTH_PLAINTEXT', None),
  'spa': (None, None, 'AUTH_SPA', None),
  'tls': (86, None, 'AUTH_TLS', None),
 },
 'router': {
  'accept': (None, None, 'ROUTER_ACCEPT', None),
  'dnslookup': (None, None, 'ROUTER_DNSLOOKUP', None),
  'ipliteral': (None, None, 'ROUTER_IPLITERAL', None),
  'iplookup': (None, None, 'ROUTER_IPLOOKUP', None),
  'manualroute': (None, None, 'ROUTER_MANUALROUTE', None),
  'queryprogram': (None, None, 'ROUTER_QUERYPROGRAM', None),
  'redirect': (None, None, 'ROUTER_REDIRECT', None),
 },
 'transport': {
  'appendfile': (None, None, 'TRANSPORT_APPENDFILE', None),
  'autoreply': (None, None, 'TRANSPORT_AUTOREPLY', None),
  'lmtp': (None, None, 'TRANSPORT_LMTP', None),
  'pipe': (None, None, 'TRANSPORT_PIPE', None),
  'queuefile': (88, None, 'EXPERIMENTAL_QUEUEFILE', None),
  'smtp': (None, None, 'TRANSPORT_SMTP', None),
 },
}
