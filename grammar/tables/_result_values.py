"""Made by tools/make_tables.py from result_values.json: do not edit."""

# ruff: noqa
# fmt: off
COLUMNS = ('since', 'until', 'history')
ROWS: dict[str, object] = {
 'arc': {
  'verify=arc list, $arc_state': {
   'fail': (91, None, None),
   'none': (91, None, None),
   'pass': (91, None, None),
  },
 },
 'authresults': {
  'dnssec words of $lookup_dnssec_authenticated': {
   '(empty)': (84, None, None),
   'no': (84, None, None),
   'yes': (84, None, None),
  },
 },
 'csa': {
  '$csa_status': {
   'defer': (None, None, None),
   'fail': (None, None, None),
   'ok': (None, None, None),
   'unknown': (None, None, None),
  },
 },
 'dcc': {
  '$dcc_result': {
   'A': (None, None, None),
   'G': (None, None, None),
   'R': (None, None, None),
   'T': (None, None, None),
  },
 },
 'dkim reason': {
  '$dkim_verify_reason': {
   'bodyhash_mismatch': (None, None, None),
   'pubkey_der_syntax': (88, None, None),
   'pubkey_dns_syntax': (88, None, None),
   'pubkey_syntax': (None, 86, None),
   'pubkey_too_short': (94, None, None),
   'pubkey_unavailable': (None, None, None),
   'signature_incorrect': (None, None, None),
  },
 },
 'dkim status': {
  'dkim_status condition, $dkim_verify_status': {
   'fail': (None, None, None),
   'invalid': (None, None, None),
   'none': (None, None, None),
   'pass': (None, None, None),
  },
 },
 'dmarc': {
  'dmarc_status condition, $dmarc_status': {
   'accept': (82, None, None),
   'nofrom': (82, None, None),
   'none': (82, None, None),
   'norecord': (82, None, None),
   'off': (82, None, None),
   'quarantine': (82, None, None),
   'reject': (82, None, None),
   'temperror': (82, None, None),
  },
 },
 'dmarc policy': {
  '$dmarc_domain_policy': {
   'none': (84, None, None),
   'quarantine': (84, None, None),
   'reject': (84, None, None),
  },
 },
 'notquit reason': {
  '$smtp_notquit_reason': {
   'acl-drop': (None, None, None),
   'bad-command-synprot': (99, None, None),
   'bad-commands': (None, None, None),
   'command-timeout': (None, None, None),
   'connection-lost': (None, None, None),
   'data-timeout': (None, None, None),
   'local-scan-error': (None, None, None),
   'local-scan-timeout': (None, None, None),
   'signal-exit': (None, None, None),
   'synchronization-error': (None, None, None),
   'tls-failed': (None, None, None),
  },
 },
 'ocsp': {
  '$tls_in_ocsp, $tls_out_ocsp': {
   '0': (84, None, None),
   '1': (84, None, None),
   '2': (84, None, None),
   '3': (84, None, None),
   '4': (84, None, None),
  },
 },
 'resumption': {
  '$tls_in_resumption, $tls_out_resumption': {
   'bit 0': (93, None, None),
   'bit 1': (93, None, None),
   'bit 2': (93, None, None),
   'bit 3': (93, None, None),
   'bit 4': (93, None, None),
  },
 },
 'spf': {
  'spf condition, $spf_result': {
   'err_perm': (None, 90, None),
   'err_temp': (None, 90, None),
   'fail': (None, None, None),
   'invalid': (None, None, None),
   'neutral': (None, None, None),
   'none': (None, None, None),
   'pass': (None, None, None),
   'permerror': (84, None, None),
   'softfail': (None, None, None),
   'temperror': (84, None, None),
  },
 },
 'verify failure': {
  '$sender_verify_failure, $recipient_verify_failure': {
   'mail': (None, None, None),
   'postmaster': (None, None, None),
   'qualify': (None, None, None),
   'random': (92, None, None),
   'recipient': (None, None, None),
   'route': (None, None, None),
  },
 },
 'verify mode': {
  '$verify_mode': {
   '(empty)': (86, None, None),
   'R': (86, None, None),
   'S': (86, None, None),
  },
 },
}
