"""What can go wrong, as nouns.

Each message is one sentence for the person who caused it. How an error leaves (status, JSON, page, exit code) is decided
by the door, in one table, never here.
"""

from __future__ import annotations


class VitrineError(Exception):
    """The root of everything Vitrine refuses on purpose; `code` is stable and may be relied on by programs."""

    code = "error"


class InvalidSettings(VitrineError):
    """The configuration cannot be used; the start stops."""

    code = "invalid_settings"


class InvalidBackup(VitrineError):
    """A backup cannot be made here, or a file is none that can be restored here."""

    code = "invalid_backup"


class InvalidImage(VitrineError):
    """The upload is a picture, or pretends to be one, that cannot be read."""

    code = "invalid_image"


class UnsupportedImage(InvalidImage):
    """The bytes are of no format on the allow-list."""

    code = "unsupported_image"


class ImageTooLarge(InvalidImage):
    """The file has more bytes than are taken."""

    code = "image_too_large"


class ImageTooComplex(InvalidImage):
    """The picture has more pixels, scans, strips, frames or metadata than are decoded."""

    code = "image_too_complex"


class InvalidRequest(VitrineError):
    """The request lacks something or holds something that is not understood."""

    code = "invalid_request"


class UnknownHost(VitrineError):
    """The request is for another site."""

    code = "unknown_host"


class ModelNotFound(VitrineError):
    """No model, or no version of it, has that name."""

    code = "model_not_found"


class ModelRequired(VitrineError):
    """Several models are served and none of them is the default: the caller must name one."""

    code = "model_required"


class VersionKept(VitrineError):
    """A version may not be removed: it is the active one, or it came with the project."""

    code = "version_kept"


class AnswersFlip(VitrineError):
    """A version would change so many answers that somebody has to confirm that it shall answer."""

    code = "answers_flip"


class InvalidPackage(VitrineError):
    """A model package is damaged, or is not what its manifest says."""

    code = "invalid_package"


class InvalidModel(VitrineError):
    """A pickle does not hold a fitted classifier that can be served."""

    code = "invalid_model"


class RecipeUndecided(InvalidRequest):
    """Labelled samples leave open how pictures are fed to a classifier: somebody has to say it."""

    code = "recipe_undecided"


class UnsafeModel(InvalidModel):
    """A model file would use something that is not on the allow-list; `names` are what it names."""

    code = "unsafe_model"

    def __init__(self, message: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.names = names


class InvalidDataset(VitrineError):
    """A folder of photos cannot be learned from."""

    code = "invalid_dataset"


class Overloaded(VitrineError):
    """More work is waiting than the machine can do in time."""

    code = "overloaded"

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DatabaseUnavailable(VitrineError):
    """The database does not answer, is locked for too long, or cannot be written to."""

    code = "database_unavailable"

    def __init__(self, message: str = "The database does not answer; please try again in a moment.") -> None:
        super().__init__(message)
        self.retry_after = 2


class StoreUnavailable(VitrineError):
    """The store that machines share does not answer, refuses what it is asked, or holds something else than it should."""

    code = "store_unavailable"

    def __init__(self, message: str = "The store of the models does not answer; please try again in a moment.") -> None:
        super().__init__(message)
        self.retry_after = 5


class TooManyAttempts(VitrineError):
    """Somebody tried too often; `retry_after` is in seconds."""

    code = "too_many_attempts"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyRequests(VitrineError):
    """Somebody asked for more in a minute than is given; `headers` tell programs what is left, and when."""

    code = "too_many_requests"

    def __init__(self, message: str, retry_after: int, headers: dict[str, str]) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.headers = headers


class IdempotencyKeyReused(VitrineError):
    """A name that was given to one request comes with another."""

    code = "idempotency_key_reused"


class StillRunning(VitrineError):
    """The request of this name is being answered; `retry_after` is in seconds."""

    code = "still_running"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvalidKey(VitrineError):
    """The API key is missing, unknown, expired or revoked."""

    code = "invalid_key"


class KeyNotFound(VitrineError):
    """No API key of this account has that identifier."""

    code = "key_not_found"


class MissingScope(VitrineError):
    """The API key is good, but not for this."""

    code = "missing_scope"


class InvalidAccount(VitrineError):
    """An account cannot be made or changed as asked."""

    code = "invalid_account"


class InvalidPassword(InvalidAccount):
    """A password is too short, too long, or easily guessed."""

    code = "invalid_password"


class InvalidCode(VitrineError):
    """A code of a second factor is wrong, too old or used already."""

    code = "invalid_code"


class InvalidPasskey(VitrineError):
    """A passkey cannot be added, or does not let its owner in."""

    code = "invalid_passkey"


class InvalidSetupLink(VitrineError):
    """The one-time link for the first administrator is used, replaced or wrong."""

    code = "invalid_setup_link"


class InvalidInvitation(VitrineError):
    """The link of an invitation is used, withdrawn, too old or wrong."""

    code = "invalid_invitation"


class SignInRefused(VitrineError):
    """Whoever comes from a provider of single sign-on is not let in."""

    code = "sign_in_refused"


class ProviderUnavailable(VitrineError):
    """The provider of single sign-on does not answer, or not as it should."""

    code = "provider_unavailable"


class InvalidAddressLink(VitrineError):
    """The link to a new address is used, too old, wrong, or another account's."""

    code = "invalid_address_link"


class AccountNotFound(VitrineError):
    """No account has that number."""

    code = "account_not_found"


class PredictionNotFound(VitrineError):
    """No stored prediction of this owner has that identifier."""

    code = "prediction_not_found"
