"""What OCSF's activity numbers mean here, by class; numbers that are not listed are ``other``."""

from __future__ import annotations

from typing import Final

__all__ = ["ACTIVITY_IDS"]

_CRUD: Final = {1: "create", 2: "read", 3: "update", 4: "delete"}

ACTIVITY_IDS: Final[dict[int, dict[int, str]]] = {
    # Datastore Activity: read update connect query write create delete list; encrypt and decrypt are other
    6005: {1: "read", 2: "update", 3: "login", 4: "query", 5: "update", 6: "create", 7: "delete", 8: "query"},
    # API Activity
    6003: _CRUD,
    # Web Resources Activity: as API, then search import export share
    6001: {**_CRUD, 5: "query", 6: "create", 7: "export", 8: "grant"},
    # File Hosting Activity: upload download update delete rename copy move restore preview .. share unshare open sync
    6006: {
        1: "create", 2: "export", 3: "update", 4: "delete", 5: "update", 6: "create", 7: "update", 8: "create",
        9: "read", 12: "grant", 13: "revoke", 14: "read", 15: "export",
    },
    # Authentication: logon .. account switch; logoff and tickets are other
    3002: {1: "login", 7: "switch"},
    # Entity Management: as API, then move enroll unenroll enable disable activate deactivate suspend resume
    3004: {**_CRUD, **dict.fromkeys(range(5, 14), "update")},
    # User Access Management: assign privileges, revoke privileges, assign role, remove role
    3005: {1: "grant", 2: "revoke", 3: "grant", 4: "revoke"},
    # User Management: create update delete, enable .. password reset, attach and detach policies, factors,
    # assign and remove privileges, assign and remove roles
    3007: {
        1: "create", 2: "update", 3: "delete", **dict.fromkeys((4, 5, 6, 7, 8, 9, 12, 13), "update"),
        10: "grant", 11: "revoke", 14: "grant", 15: "revoke", 16: "grant", 17: "revoke",
    },
}  # fmt: skip
