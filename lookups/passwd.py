"""passwd: the system's users (manual 9.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eximious.lookups.registry import QUERY, Lookup, lookup

if TYPE_CHECKING:
    from eximious.lookups.registry import Question


@lookup("passwd", style=QUERY, section="9.4")
class Passwd(Lookup):
    """Gives ``*:uid:gid:gecos:home:shell`` of a user, never the password."""

    def find(self, handle: None, question: Question) -> str | None:
        user = question.ctx.env.doors.users.getpwnam(question.key)
        if user is None:
            return None
        return f"*:{user.pw_uid}:{user.pw_gid}:{user.pw_gecos}:{user.pw_dir}:{user.pw_shell}"
