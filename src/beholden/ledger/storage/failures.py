"""Foreign errors of a bucket end here, each as one line without keys, signatures or addresses."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, Final, Self

from beholden.core.object_url import ObjectPlace
from beholden.ledger.files import StorageError

__all__ = ["foreign_errors", "refused"]

_RIGHTS: Final = "s3:ListBucket and s3:GetObject"
_RIGHTS_TO_WRITE: Final = "s3:PutObject and s3:DeleteObject"
_SETTINGS: Final = "credentials as AWS's own tools find them"
_AGAIN: Final = "run it again: what is on record already is not doubled"
#: Answers of the server: what they mean, what was expected, what to do.
_CODES: Final[dict[str, tuple[str, str, str]]] = {
    "NoSuchBucket": ("there is no such bucket", "", "make it, or correct ledger.url"),
    "AccessDenied": ("access is denied", _RIGHTS, "give this user these rights on bucket and prefix"),
    "AllAccessDisabled": ("access is denied", _RIGHTS, ""),
    "403": ("access is denied", _RIGHTS, "give this user these rights on bucket and prefix"),
    "InvalidAccessKeyId": ("the access key is not known there", _SETTINGS, ""),
    "SignatureDoesNotMatch": ("the secret key is not the access key's", _SETTINGS, ""),
    "ExpiredToken": ("the credentials have expired", "", "renew them"),
    "InvalidToken": ("the session token is not valid", _SETTINGS, ""),
    "RequestTimeTooSkewed": ("this machine's clock is wrong", "the server's time, within 15 minutes", "set it"),
    "PermanentRedirect": ("the bucket is in another region", "its own", "set AWS_DEFAULT_REGION"),
    "301": ("the bucket is in another region", "its own", "set AWS_DEFAULT_REGION"),
    "AuthorizationHeaderMalformed": ("the bucket is in another region", "its own", "set AWS_DEFAULT_REGION"),
    "IllegalLocationConstraintException": ("the bucket is in another region", "its own", "set AWS_DEFAULT_REGION"),
    "NotImplemented": ("the server does not have conditional writes", "If-None-Match and If-Match on PutObject", ""),
    "SlowDown": ("the server is too busy", "", _AGAIN),
    "ServiceUnavailable": ("the server is too busy", "", _AGAIN),
    "InternalError": ("the server failed", "", _AGAIN),
    "BadDigest": ("what arrived is not what was sent", "", _AGAIN),
    "EntityTooLarge": ("an object is too large for the server", "", ""),
    "InvalidObjectState": (
        "an object was moved to an archive",
        "a storage class that can be read at once",
        "restore it",
    ),
}
#: What never reached the server, by the names of boto's errors.
_LOCAL: Final[dict[str, tuple[str, str, str]]] = {
    "NoCredentialsError": ("there are no credentials", _SETTINGS, ""),
    "PartialCredentialsError": ("the credentials are not complete", _SETTINGS, ""),
    "CredentialRetrievalError": ("the credentials could not be fetched", _SETTINGS, ""),
    "TokenRetrievalError": ("the credentials could not be fetched", _SETTINGS, "sign in again"),
    "UnauthorizedSSOTokenError": ("the sign-in has expired", "", "sign in again"),
    "ProfileNotFound": ("the profile is not configured", "one of AWS's configuration file", "correct AWS_PROFILE"),
    "NoRegionError": ("no region is set", "the bucket's", "set AWS_DEFAULT_REGION"),
    "InvalidRegionError": ("the region is not a valid name", "the bucket's", "set AWS_DEFAULT_REGION"),
    "EndpointConnectionError": ("the server cannot be reached", "", "check network and endpoint"),
    "ConnectTimeoutError": ("the server cannot be reached", "", "check network and endpoint"),
    "ProxyConnectionError": ("the proxy cannot be reached", "", "check network and proxy"),
    "SSLError": ("the server's certificate is not trusted", "", "set AWS_CA_BUNDLE if it has one of its own"),
    "ReadTimeoutError": ("the server did not answer", "", _AGAIN),
    "ConnectionClosedError": ("the connection broke", "", _AGAIN),
    "ResponseStreamingError": ("the connection broke", "", _AGAIN),
    "IncompleteReadError": ("the connection broke", "", _AGAIN),
}
#: An answer that began and broke off.
_BROKEN: Final = {"ReadTimeoutError", "ConnectionClosedError", "ResponseStreamingError", "IncompleteReadError"}
_DENIED: Final = {"AccessDenied", "AllAccessDisabled", "403", "MethodNotAllowed"}
_CODE: Final = re.compile(r"[A-Za-z0-9_.]{1,60}\Z")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}\Z")


class foreign_errors:  # noqa: N801 - used like a function
    """Run requests; their errors become `StorageError`, except those the caller wants to judge itself.

    A block that does not return has failed: the caller may look at ``status``, and raises what `refused` gives.

    Args:
        place: whom the requests go to.
        missing: raised for a 404 instead.
        answers: statuses after which the block just ends.
    """

    def __init__(
        self, place: ObjectPlace, *, missing: Callable[[], Exception] | None = None, answers: Collection[int] = ()
    ) -> None:
        self.status = 0
        self.is_writing = False
        self.is_broken = False
        self.error: StorageError | None = None
        self._place = place
        self._missing = missing
        self._answers = answers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if error is None or not type(error).__module__.startswith(("botocore", "urllib3", "boto3")):
            return False
        answer = getattr(error, "response", None)
        if not isinstance(answer, dict):
            kind = type(error).__name__
            self.is_broken = kind in _BROKEN
            self.error = self._line(_LOCAL.get(kind, (f"a request failed ({kind})", "", "")))
            return True
        code = str(answer.get("Error", {}).get("Code", ""))
        self.status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if self._missing is not None and self.status == 404 and code != "NoSuchBucket":
            raise self._missing() from None
        if self.status in self._answers and code != "NoSuchBucket":
            return True
        self.error = self._judge(code, answer)
        return True

    def take_deletion_errors(self, errors: list[dict[str, Any]]) -> None:
        """A request to delete succeeds as a whole and names what it could not delete."""
        if errors:
            raise self._judge(str(errors[0].get("Code", "")), {})

    def _judge(self, code: str, answer: dict[str, Any]) -> StorageError:
        unknown = f"the server refused a request ({code if _CODE.match(code) else self.status})"
        found, expected, advice = _CODES.get(code, (unknown, "", ""))
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = answer.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region") or ""
        if "region" in found and _REGION.match(region):
            expected = region
        return self._line((found, expected, advice), is_denied=code in _DENIED)

    def _line(self, meaning: tuple[str, str, str], *, is_denied: bool = False) -> StorageError:
        found, expected, advice = meaning
        if is_denied and self.is_writing:
            return StorageError(errno.EACCES, self._place.url, "cannot be written to", expected=_RIGHTS_TO_WRITE)
        return StorageError(errno.EIO, self._place.url, found, expected=expected, advice=advice)


def refused(request: foreign_errors) -> StorageError:
    """What a request came to, to be raised."""
    found = f"an answer of status {request.status} was not expected"
    return request.error or StorageError(errno.EIO, "ledger", found)
