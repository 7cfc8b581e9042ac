"""Made by tools/make_tables.py from event_names.json: do not edit."""

# ruff: noqa
# fmt: off
COLUMNS = ('fires', 'option_place', 'since', 'until', 'guard', 'history')
ROWS: dict[str, object] = {
 'auth:fail': ('after', 'both', 97, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'dane:fail': ('after', 'transport', 91, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'dns:fail': ('after', 'both', 98, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'msg:complete': ('after', 'main', 86, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'msg:defer': ('after', 'transport', 94, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'msg:delivery': ('after', 'transport', 86, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'msg:fail:delivery': ('after', 'transport', 86, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'msg:fail:internal': ('after', 'main', 86, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'msg:host:defer': ('after', 'transport', 86, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'msg:rcpt:defer': ('after', 'transport', 88, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'msg:rcpt:host:defer': ('after', 'transport', 88, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'smtp:connect': ('after', 'transport', 86, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'smtp:ehlo': ('after', 'transport', 93, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'smtp:fail:protocol': ('after', 'main', 99, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'smtp:fail:syntax': ('after', 'main', 99, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'tcp:close': ('after', 'transport', 86, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'tcp:connect': ('before', 'transport', 86, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'tls:cert': ('before', 'both', 86, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
 'tls:fail:connect': ('after', 'main', 96, None, '!DISABLE_EVENT (EXPERIMENTAL_EVENT in 4.86)', None),
}
