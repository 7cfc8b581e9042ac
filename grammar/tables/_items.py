"""Made by tools/make_tables.py from expansion_items.json: do not edit."""

# ruff: noqa
# fmt: off
COLUMNS = ('since', 'until', 'guard', 'history')
ROWS: dict[str, object] = {
 'acl': (82, None, None, None),
 'authresults': (91, None, None, None),
 'certextract': (84, None, None, None),
 'dlfunc': (None, None, None, None),
 'env': (86, None, None, None),
 'extract': (None, None, None, None),
 'filter': (None, None, None, None),
 'hash': (None, None, None, None),
 'hmac': (None, None, None, None),
 'if': (None, None, None, None),
 'imapfolder': (86, None, 'SUPPORT_I18N', {'guard': ((86, 'EXPERIMENTAL_INTERNATIONAL'), (88, 'SUPPORT_I18N'))}),
 'length': (None, None, None, None),
 'listextract': (84, None, None, None),
 'listquote': (94, None, None, None),
 'lookup': (None, None, None, None),
 'map': (None, None, None, None),
 'nhash': (None, None, None, None),
 'perl': (None, None, None, None),
 'prvs': (None, None, None, None),
 'prvscheck': (None, None, None, None),
 'readfile': (None, None, None, None),
 'readsocket': (None, None, None, None),
 'reduce': (None, None, None, None),
 'run': (None, None, None, None),
 'sg': (None, None, None, None),
 'sort': (86, None, None, None),
 'srs_encode': (94, None, 'SUPPORT_SRS', {'guard': ((94, 'EXPERIMENTAL_SRS_NATIVE'), (95, 'SUPPORT_SRS'))}),
 'substr': (None, None, None, None),
 'tr': (None, None, None, None),
}
