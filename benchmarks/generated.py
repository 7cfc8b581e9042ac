"""Configurations of any length, made of what real ones are made of."""

from __future__ import annotations

MACROS = """\
SPOOL_DIR = /var/spool/exim/hosts
MAIL_NAME = mail.example.net
"""

MAIN = """\
# Lists of the host {n}
domainlist local_{n} = example{n}.com : *.example{n}.net : lsearch;SPOOL_DIR/{n}/domains
hostlist relay_{n} = 192.0.2.{b} : 2001::db8::::{n} : !10.{b}.0.0/16 : \\
    *.relay{n}.example.org : \\
    # a comment in between
    net24-lsearch;SPOOL_DIR/{n}/networks
addresslist people_{n} = postmaster@MAIL_NAME : ^user[0-9]+@example{n}\\.com\\$
.ifdef TLS_WANTED
hostlist tls_{n} = *
.else
hostlist tls_{n} = +relay_{n}
.endif
"""

ACL = """\

acl_check_{n}:
  accept  hosts         = +relay_{n}
          control       = dkim_disable_verify
  deny    domains       = +local_{n}
          local_parts   = ^[.] : ^.*[@%!/|]
          message       = restricted characters in address
  deny    message       = sender address $sender_address is locally blacklisted \\
                          here ({n})
          !verify       = sender
          senders       = ${{if exists{{/etc/exim/blacklist{n}}}{{/etc/exim/blacklist{n}}}{{}}}}
  warn    condition     = ${{if and{{{{def:h_X-Spam:}}{{match{{$h_subject:}}{{\\N^\\[{n}\\]\\N}}}}}}{{yes}}{{no}}}}
          set acl_m_{n} = ${{lookup{{$sender_host_address}}lsearch{{/etc/hosts{n}}}{{$value}}{{none}}}}
          add_header    = X-Checked: ${{lc:$sender_helo_name}} by $primary_hostname ({n})
  # a comment
  require verify        = recipient/callout=30s,defer_ok
  accept
"""

ROUTER = """\

router_{n}:
  debug_print = "R: router_{n} for $local_part@$domain"
  driver = redirect
  domains = +local_{n}
  local_parts = !root : user{n} : lsearch;/etc/users{n}
  allow_fail
  allow_defer
  data = ${{lookup{{$local_part}}lsearch{{/etc/aliases{n}}}}}
  file_transport = transport_{n}
  no_verify
  condition = ${{if >{{$message_size}}{{{n}K}}{{no}}{{yes}}}}
  headers_add = X-Router: {n}
"""

TRANSPORT = """\

transport_{n}:
  debug_print = "T: transport_{n} for $local_part@$domain"
  driver = appendfile
  file = /var/mail/${{lc:$local_part_data}}.{n}
  delivery_date_add
  envelope_to_add
  return_path_add
  group = 8
  mode = 0660
  mode_fail_narrower = false
  quota = ${{if eq{{$local_part}}{{postmaster}}{{0}}{{{n}M}}}}
"""


def configuration(lines: int) -> str:
    """Give a configuration of about that many physical lines, without findings."""
    each = sum(part.count("\n") for part in (MAIN, ACL, ROUTER, TRANSPORT))
    numbers = range(1, max(2, round(lines / each)))

    def all_of(part: str) -> str:
        return "".join(part.format(n=n, b=n % 250 + 1) for n in numbers)

    return "".join(
        [
            MACROS,
            *(f"MACRO_NUMBER_{n:02}_OF_MANY = value {n}\n" for n in range(40)),
            all_of(MAIN),
            "\nbegin acl\n",
            all_of(ACL),
            "\nbegin routers\n",
            all_of(ROUTER),
            "\nbegin transports\n",
            all_of(TRANSPORT),
            "\nbegin retry\n\n*  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h\n",
        ]
    )
