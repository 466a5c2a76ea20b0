"""People to random tokens and keys: look up, encrypt, forget, back up, restore.

Nothing here is written down in plain: the vault's file is of no use without the master key, and the master key of
none without the vault's file. See docs/reference/vault.md and docs/decisions/0001-people-are-random-tokens.md.
"""

from beholden.vault._schema import WrongKeyError
from beholden.vault.backup import BackupInfo, check_backup
from beholden.vault.erasures import Erasure, ErasureRecord, ErasureSeals
from beholden.vault.master import MasterKey
from beholden.vault.restoring import RestoreInfo, restore
from beholden.vault.sealing import IDENTIFIER_BYTES_MAX, encode_people
from beholden.vault.vault import Forgotten, Tombstone, Vault, VaultStatus, open_vault, vault_format

__all__ = [
    "IDENTIFIER_BYTES_MAX",
    "BackupInfo",
    "Erasure",
    "ErasureRecord",
    "ErasureSeals",
    "Forgotten",
    "MasterKey",
    "RestoreInfo",
    "Tombstone",
    "Vault",
    "VaultStatus",
    "WrongKeyError",
    "check_backup",
    "encode_people",
    "open_vault",
    "restore",
    "vault_format",
]
