"""Made by tools/make_tables.py from auth_options.json: do not edit."""

# ruff: noqa
# fmt: off
COLUMNS = ('type', 'default', 'default_note', 'expanded', 'hidden', 'repeatable', 'precondition', 'since', 'until', 'guard', 'history')
ROWS: dict[str, object] = {
 'cram_md5': {
  'client_name': ('string', None, 'the primary host name, when client_secret is set', True, False, None, None, None, None, None, None),
  'client_secret': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_secret': ('string', None, None, True, False, None, None, None, None, None, None),
 },
 'cyrus_sasl': {
  'server_hostname': ('string', '$primary_hostname', None, True, False, None, None, None, None, None, None),
  'server_mech': ('string', None, 'the value of public_name', False, False, None, None, None, None, None, None),
  'server_realm': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_service': ('string', 'smtp', None, False, False, None, None, None, None, None, None),
 },
 'dovecot': {
  'server_socket': ('string', None, None, False, False, None, None, None, None, None, None),
 },
 'external': {
  'client_send': ('string', None, None, True, False, None, None, 93, None, None, None),
  'server_param2': ('string', None, None, True, False, None, None, 93, None, None, None),
  'server_param3': ('string', None, None, True, False, None, None, 93, None, None, None),
 },
 'generic': {
  'client_condition': ('string', None, None, True, False, None, None, None, None, None, None),
  'client_set_id': ('string', None, None, True, False, None, None, 82, None, None, None),
  'driver': ('string', None, None, False, False, None, None, None, None, None, None),
  'public_name': ('string', None, None, False, False, None, None, None, None, None, None),
  'server_advertise_condition': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_condition': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_debug_print': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_mail_auth_condition': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_set_id': ('string', None, None, True, False, None, None, None, None, None, None),
 },
 'gsasl': {
  'client_authz': ('string', None, None, True, False, None, None, 94, None, None, None),
  'client_channelbinding': ('bool', False, None, False, False, None, None, 94, None, None, None),
  'client_password': ('string', None, None, True, False, None, None, 94, None, None, None),
  'client_spassword': ('string', None, None, True, False, None, None, 94, None, None, None),
  'client_username': ('string', None, None, True, False, None, None, 94, None, None, None),
  'server_channelbinding': ('bool', False, None, False, False, None, None, None, None, None, None),
  'server_hostname': ('string', '$primary_hostname', None, True, False, None, None, None, None, None, None),
  'server_key': ('string', None, None, True, False, None, None, 94, None, 'EXIM_GSASL_SCRAM_S_KEY', None),
  'server_mech': ('string', None, None, False, False, None, None, None, None, None, None),
  'server_password': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_realm': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_scram_iter': ('string', '4096', None, True, False, None, None, None, None, None, None),
  'server_scram_salt': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_service': ('string', 'smtp', None, False, False, None, None, None, None, None, None),
  'server_skey': ('string', None, None, True, False, None, None, 94, None, 'EXIM_GSASL_SCRAM_S_KEY', None),
 },
 'heimdal_gssapi': {
  'server_hostname': ('string', '$primary_hostname', None, True, False, None, None, None, None, None, None),
  'server_keytab': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_service': ('string', 'smtp', None, True, False, None, None, None, None, None, None),
 },
 'plaintext': {
  'client_ignore_invalid_base64': ('bool', False, None, False, False, None, None, None, None, None, None),
  'client_send': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_prompts': ('string', None, None, True, False, None, None, None, None, None, None),
 },
 'spa': {
  'client_domain': ('string', None, None, True, False, None, None, None, None, None, None),
  'client_password': ('string', None, None, True, False, None, None, None, None, None, None),
  'client_username': ('string', None, None, True, False, None, None, None, None, None, None),
  'server_password': ('string', None, None, True, False, None, None, None, None, None, None),
 },
 'tls': {
  'server_param': ('string', None, None, None, False, None, None, 86, None, None, None),
  'server_param1': ('string', None, None, True, False, None, None, 86, None, None, None),
  'server_param2': ('string', None, None, True, False, None, None, 86, None, None, None),
  'server_param3': ('string', None, None, True, False, None, None, 86, None, None, None),
 },
}
