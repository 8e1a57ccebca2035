"""Every error Arrears raises, on one screen: code, what did not happen, retryable?, safe to rerun?

Belongs here: exception classes and nothing else. Each code has a page ``docs/runbooks/<code>.md`` and a test
that raises it. A message never holds a value of a PII column: file, line, column and rule do.
"""

from __future__ import annotations

from typing import ClassVar


class ArrearsError(Exception):
    """A failure with a stable code.

    Args:
        found: What was found, in words; never a rejected or personal value.
        expected: What was expected instead.
        where: File, line, column, key, table or date that the reader must look at.
    """

    code: ClassVar[str] = "ARR-000"
    consequence: ClassVar[str] = "Nothing was changed."
    retryable: ClassVar[bool] = False
    rerun_safe: ClassVar[bool] = True

    def __init__(self, found: str, expected: str, where: str = "") -> None:
        super().__init__(found, expected, where)
        self.found = found
        self.expected = expected
        self.where = where

    @property
    def runbook(self) -> str:
        """Path of the page that says what to do, relative to the repository."""
        return f"docs/runbooks/{self.code}.md"

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        return (
            f"{self.code}{place}: {self.found}; expected {self.expected}. {self.consequence} "
            f"Safe to rerun: {'yes' if self.rerun_safe else 'no'}. Runbook: {self.runbook}"
        )


# ------------------------------------------------------------------------------------------------- configuration
class ConfigurationError(ArrearsError):
    """A portfolio, pack, strategy or setting is not valid."""

    code = "ARR-CFG-001"
    consequence = "Nothing ran."


class PortfolioUnknownError(ArrearsError):
    """No folder of that name under ``include/portfolios``."""

    code = "ARR-CFG-002"
    consequence = "Nothing ran."


class TimeZoneRefusedError(ArrearsError):
    """The portfolio's time zone has days without a midnight, which no business date survives."""

    code = "ARR-CFG-003"
    consequence = "Nothing ran."


class RuleInputError(ArrearsError):
    """A rule was called with arguments it has no answer for."""

    code = "ARR-RUL-001"
    consequence = "No figure was made."


class PackNotReviewedError(ArrearsError):
    """A contact pack has no review, or one that is due: it may plan, it may not send."""

    code = "ARR-POL-001"
    consequence = "Nothing was sent."


# ----------------------------------------------------------------------------------------------------------- run
class RunKeyMissingError(ArrearsError):
    """The run has no partition key, so no business date."""

    code = "ARR-RUN-KEY"
    consequence = "Nothing ran."


class PredecessorMissingError(ArrearsError):
    """The day before is not published, or is stale."""

    code = "ARR-RUN-PREDECESSOR"
    consequence = "This date is not published; earlier dates stay as they are."
    retryable = True


class RunFailedError(ArrearsError):
    """A whole-run failure that no task could report by itself (killed, timed out)."""

    code = "ARR-RUN-FAILED"
    consequence = "This date is not published; earlier dates stay as they are."


class DayLateError(ArrearsError):
    """A portfolio's day is not published by its hour."""

    code = "ARR-RUN-LATE"
    consequence = "Nothing was changed; what is published stays."


class AlarmUndeliveredError(ArrearsError):
    """The watch has an alarm, and whom it tells did not take it."""

    code = "ARR-RUN-ALARM"
    consequence = "The alarm is printed here, and nowhere else."


# ------------------------------------------------------------------------------------------------------- extract
class SourceNotReadyError(ArrearsError):
    """The source has not delivered this business date yet."""

    code = "ARR-EXT-001"
    consequence = "Nothing was extracted; yesterday stays published."
    retryable = True


class SourceUnreachableError(ArrearsError):
    """The source database or file system did not answer."""

    code = "ARR-EXT-002"
    consequence = "Nothing was extracted; yesterday stays published."
    retryable = True


class SourceColumnsError(ArrearsError):
    """The delivered columns are not those of the contract (a wrong header, a column gone or new)."""

    code = "ARR-EXT-003"
    consequence = "Nothing was extracted; yesterday stays published."


class SourceTypeError(ArrearsError):
    """A column is delivered in a type that may not carry its contract type (money as a float, an uncast SUM)."""

    code = "ARR-EXT-004"
    consequence = "Nothing was extracted; yesterday stays published."


class SourceFileError(ArrearsError):
    """A file cannot be read as what it is declared to be (encoding, quoting, truncated, empty without a header)."""

    code = "ARR-EXT-005"
    consequence = "The whole file is set aside; nothing was extracted; yesterday stays published."


class SourceQueryError(ArrearsError):
    """A SELECT of the portfolio does not run in its source."""

    code = "ARR-EXT-006"
    consequence = "Nothing was extracted; yesterday stays published."


class ControlFileError(ArrearsError):
    """The control file of a delivery is none, is another day's, or lists files it must not."""

    code = "ARR-EXT-007"
    consequence = "The delivery stays where it is; nothing was extracted; yesterday stays published."


class DeliveryConflictError(ArrearsError):
    """A delivery is not the one that was picked up under its name, or repeats the day before."""

    code = "ARR-EXT-008"
    consequence = "Both deliveries are kept; nothing was extracted; what is published stays."


class SourceLimitError(ArrearsError):
    """A file is larger, denser or wider than a ledger's file can be, or reading it used more than it may."""

    code = "ARR-EXT-009"
    consequence = "The file was given up unread; nothing was extracted; yesterday stays published."


class SourceNameError(ArrearsError):
    """What matches a day's pattern is no plain file, lies outside the source's folder, or has a name not allowed."""

    code = "ARR-EXT-010"
    consequence = "It was not opened; nothing was extracted; yesterday stays published."


# ------------------------------------------------------------------------------------------------------ validate
class RejectLimitError(ArrearsError):
    """More rows were rejected than the portfolio allows."""

    code = "ARR-VAL-001"
    consequence = "Every offender is listed in quarantine; this date is not published; yesterday stays published."


class ControlTotalError(ArrearsError):
    """Source totals and extracted totals differ."""

    code = "ARR-VAL-002"
    consequence = "This date is not published; yesterday stays published."


class QualityGateError(ArrearsError):
    """A critical expectation failed at one of the two gates."""

    code = "ARR-VAL-003"
    consequence = "This date is not published; yesterday stays published."


class EmptyTableError(ArrearsError):
    """A table that may not be empty is."""

    code = "ARR-VAL-004"
    consequence = "This date is not published; yesterday stays published."


class LoanMissingError(ArrearsError):
    """More open loans than the portfolio allows are in no row of the ledger, and no status says how they ended."""

    code = "ARR-VAL-005"
    consequence = "No loan was cured; this date is not published; yesterday stays published."


class SliceStoppedError(ArrearsError):
    """The feed of one product failed or broke off: fewer of its loans or payments came than ever, or none are new."""

    code = "ARR-VAL-006"
    consequence = "Contact about this product has stopped; all others go on, and the date is published."


# ---------------------------------------------------------------------------------------------------------- lake
class SchemaRefusedError(ArrearsError):
    """A result's columns or types differ from the contract of the table it is written to."""

    code = "ARR-LAK-001"
    consequence = "Nothing was written."


class PartitionMissingError(ArrearsError):
    """A table has no partition for that portfolio and business date."""

    code = "ARR-LAK-002"
    consequence = "Nothing was written."


class PartitionCorruptError(ArrearsError):
    """A file of a partition is missing or its SHA-256 is not the manifest's."""

    code = "ARR-LAK-003"
    consequence = "The partition was not read."


class PartitionStaleError(ArrearsError):
    """What a partition was made from has changed since."""

    code = "ARR-LAK-004"
    consequence = "Nothing was published; what is published stays."


class PartitionDroppedError(ArrearsError):
    """A partition's term has passed: retention has dropped its rows and kept its facts."""

    code = "ARR-LAK-005"
    consequence = "Nothing was changed; what is published stays."


class StorageError(ArrearsError):
    """The lake, or the task's own disk, is full or may not be written."""

    code = "ARR-LAK-006"
    consequence = "Nothing half-written counts; what is published stays."
    retryable = True


# ----------------------------------------------------------------------------------------------------- warehouse
class WarehouseUnreachableError(ArrearsError):
    """The warehouse did not answer, or the connection broke."""

    code = "ARR-WHS-001"
    consequence = "The open transaction, if any, was rolled back."
    retryable = True


class WarehouseSchemaError(ArrearsError):
    """The warehouse's tables are not at the version this code needs."""

    code = "ARR-WHS-002"
    consequence = "Nothing was published."


class PublishAuditError(ArrearsError):
    """What was staged in the warehouse is not what the lake holds."""

    code = "ARR-PUB-001"
    consequence = "Nothing was published; yesterday stays published."


class PublishLockedError(ArrearsError):
    """Another publication of the same portfolio is under way."""

    code = "ARR-PUB-002"
    consequence = "Nothing was published by this try."
    retryable = True


class AuditTrailError(ArrearsError):
    """The audit trail was changed, cut or written anew, or an anchor of it is not ours."""

    code = "ARR-AUD-001"
    consequence = "Nothing was changed; the trail no longer proves who did what."


class VaultSealError(ArrearsError):
    """A sealed value does not open: it was changed, moved, or sealed under a master key that is not here."""

    code = "ARR-VLT-001"
    consequence = "Nothing was shown, sent or changed."


class LegalHoldError(ArrearsError):
    """Somebody wants to erase what a legal hold keeps."""

    code = "ARR-VLT-002"
    consequence = "Nothing was erased."


# ------------------------------------------------------------------------------------------------------- sending
class LeaseTooShortError(ArrearsError):
    """A claim could run out while its own delivery is still alive."""

    code = "ARR-SND-001"
    consequence = "Nothing was claimed or sent."


class ClaimTooOldError(ArrearsError):
    """A dispatcher woke up past half the lease of its claim."""

    code = "ARR-SND-002"
    consequence = "The message was not sent; it will be claimed again."
    retryable = True


class PayloadChangedError(ArrearsError):
    """An attempt would be repeated under its key with another content."""

    code = "ARR-SND-003"
    consequence = "Nothing was sent again; the attempt stays unknown until a person settles it."


class EndpointRefusedError(ArrearsError):
    """A channel's address is not one that this deployment allows."""

    code = "ARR-SND-004"
    consequence = "Nothing was sent."


class TemplateError(ArrearsError):
    """A message template is wrong, not approved, or lacks what the law wants in it."""

    code = "ARR-SND-005"
    consequence = "Nothing was sent with it."


class OutboxStateError(ArrearsError):
    """What somebody wants to do to an outbox row is not possible in the state it is in."""

    code = "ARR-SND-006"
    consequence = "Nothing was changed."


class ReceiptRefusedError(ArrearsError):
    """What a provider gives as a receipt is none."""

    code = "ARR-SND-007"
    consequence = "The receipt was not taken; no row was changed."


class UnknownSendsError(ArrearsError):
    """Sends of which nobody knows whether they were made wait for a person: too many, or for too long."""

    code = "ARR-SND-008"
    consequence = "None of them is sent again by itself; the people they were for hear nothing more of that step."


class ProviderFailingError(ArrearsError):
    """A provider failed several times in a row and is left alone until the next run."""

    code = "ARR-SND-009"
    consequence = "What it refused, and what was not tried, waits for the next run; other channels go on."


# ------------------------------------------------------------------------------------------------ local machine
class LocalServerError(ArrearsError):
    """A server of the one-machine deployment did not start or died."""

    code = "ARR-LOC-001"
    consequence = "Everything that was started is stopped."


# ----------------------------------------------------------------------------------------------------- approvals
class ApprovalUnknownError(ArrearsError):
    """A decision names a question that no publication asked."""

    code = "ARR-APR-001"
    consequence = "Nothing was released; held contacts stay held."


class ApprovalAnswerMissingError(ArrearsError):
    """A decision is to be carried out, and no answer is stored; even time running out leaves one."""

    code = "ARR-APR-002"
    retryable = True
    consequence = "Nothing was decided; held contacts stay held."


# ------------------------------------------------------------------------------------------------------ feedback
class FeedbackRowError(ArrearsError):
    """A reported row is not what its kind says."""

    code = "ARR-FBK-001"
    consequence = "The row is in quarantine and acts on nothing; the others were taken in."


class FeedbackSubjectError(ArrearsError):
    """A reported row is about a loan, party or contact point that nobody knows, or about things that do not fit."""

    code = "ARR-FBK-002"
    consequence = "The row is in quarantine and acts on nothing; the others were taken in."


class FeedbackConflictError(ArrearsError):
    """A report came again under the same reference and revision, with other content."""

    code = "ARR-FBK-003"
    consequence = "What came first stands; the other row is in quarantine."


class FeedbackUnreadableError(ArrearsError):
    """A file or request body of reports cannot be read as a whole."""

    code = "ARR-FBK-004"
    consequence = "None of its rows was taken in; other deliveries were."


class WebhookUnsignedError(ArrearsError):
    """A request is not signed, is signed with another key, or its time has passed."""

    code = "ARR-FBK-005"
    consequence = "Nothing was taken in."


class WebhookReplayedError(ArrearsError):
    """A request that was taken in already came again, byte for byte."""

    code = "ARR-FBK-006"
    consequence = "Nothing was taken in twice."


class WebhookTooLargeError(ArrearsError):
    """A request is larger than a request may be."""

    code = "ARR-FBK-007"
    consequence = "Nothing was taken in."


class AnswerDueError(ArrearsError):
    """A complaint or a dispute waits for its answer, and the day by which it is due is near or past."""

    code = "ARR-FBK-008"
    consequence = "Contact about the matter stays held."


class SupervisorCallError(ArrearsError):
    """Somebody's life may be at risk, and no supervisor has said that they have taken the matter over."""

    code = "ARR-FBK-009"
    consequence = "No machine and no agent contacts the person; it rings until a supervisor takes over."
