"""Deliveries dropped into a folder: which one a day is made of, and moving it to the archive once.

Belongs here: what lies in the inbox and in the archive. How a delivery is read stands in ``delivery``.

A delivery is known by the SHA-256 of its control file, which names every file's SHA-256. It lies in the inbox, or in
``<archive>/<closing date>/<number>-<id>/``, where its control file is written last: a folder without one is no
delivery yet. Nothing in the archive is ever overwritten with other content, and nothing leaves the inbox before the
archive holds it.
"""

from __future__ import annotations

import hashlib
import logging
import re
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING

from arrears.errors import ControlFileError, DeliveryConflictError, SourceNotReadyError
from arrears.failpoints import failpoint
from arrears.source_terms import dated
from arrears.sources.control_file import CONTROL_BYTES, check_control, read_control
from arrears.sources.delivery import SHOWN, Delivery
from arrears.sources.folder import SourceFolder

if TYPE_CHECKING:
    from arrears.source_terms import InboxSource

log = logging.getLogger(__name__)
ID_DIGITS = 16
NUMBERED = re.compile(rf"\d{{3,}}-[0-9a-f]{{{ID_DIGITS}}}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Inbox:
    """The inbox and the archive of one portfolio, as one day sees them.

    Args:
        source: Where they are.
        closing_date: The close of the ledger delivered.
    """

    def __init__(self, source: InboxSource, closing_date: date) -> None:
        self._source = source
        self._closing_date = closing_date
        self._folder = SourceFolder(source.directory)
        self._archive = SourceFolder(source.archive)
        self._dates = {"closing_date": closing_date, "business_date": closing_date + timedelta(days=1)}
        self.control_name = dated(source.control, self._dates)

    # ------------------------------------------------------------------------------------------- which delivery it is
    def dropped(self) -> Delivery | None:
        """The delivery whose control file lies in the inbox, as the portfolio declares its deliveries.

        Raises:
            SourceNotReadyError: Its control file is still being written.
            ControlFileError: It is no control file of that day.
            SourceUnreachableError: The file system did not answer.
        """
        found = self._read(self._folder)
        if found is None:
            return None
        check_control(found.control, found.name, self._source, self._dates)
        return found

    def archived(self) -> list[Delivery]:
        """Deliveries of the date that were picked up, in their order; the last is in force.

        A folder whose control file is not the one it is named after was not completed.

        Raises:
            SourceUnreachableError: The file system did not answer.
        """
        found = []
        for folder in self._numbered():
            with suppress(ControlFileError, SourceNotReadyError):
                one = self._read(folder)
                if one is not None and folder.name.endswith(one.id[:ID_DIGITS]):
                    found.append(one)
        return found

    def wanted(self, known: str | None, *, refresh: bool) -> Delivery | None:
        """The delivery that the day is made of now.

        What was picked up once stays, until a refresh takes what was dropped since.

        Args:
            known: Id of the delivery that the table was extracted from, if it was.
            refresh: Whether other content under the names of a delivery picked up is welcome.

        Returns:
            None when there is no delivery any more, and an extract of it is known.

        Raises:
            SourceNotReadyError: There is no delivery.
            ControlFileError: The control file in the inbox is no control file of that day.
            DeliveryConflictError: The inbox holds another delivery than the one picked up, or a copy of the day before.
            SourceUnreachableError: The file system did not answer.
        """
        dropped, archived = self.dropped(), self.archived()
        if dropped is not None and dropped.id not in {one.id for one in archived}:
            if archived and not refresh and dropped.id != known:
                raise self._conflict(str(dropped), archived[-1])
            self._check_against_day_before(dropped)
            return dropped
        if archived:
            if not refresh:
                self._refuse_other_content(archived[-1])
            return archived[-1]
        if known is None or refresh:
            raise SourceNotReadyError(self._missing(), f"{self.control_name}, written last", self._source.directory)
        return None

    def check_ready(self) -> None:
        """Refuse a day whose delivery is not complete.

        Raises:
            SourceNotReadyError: Says what is missing.
            ControlFileError: The control file is no control file of that day.
            DeliveryConflictError: The delivery is a copy of the day before.
            SourceUnreachableError: The file system did not answer.
        """
        found = self.wanted(None, refresh=True)
        if found is not None and found.folder is self._folder:
            found.check_files(self._source.limits.delivered_mb)

    def _conflict(self, found: str, taken: Delivery) -> DeliveryConflictError:
        return DeliveryConflictError(
            f"other content under names that were picked up: {found}",
            f"{taken} as it was; a refresh takes a new delivery, control file included",
            self._source.directory,
        )

    def _refuse_other_content(self, taken: Delivery) -> None:
        others = [file.name for file in taken.control.files if self._differs(file.name, file.sha256)]
        if others:
            raise self._conflict(", ".join(others), taken)

    def _differs(self, name: str, sha256: str) -> bool:
        """Whether something else lies under a name; what is no plain file is never opened."""
        is_plain = self._folder.is_plain(name)
        return is_plain is False or (is_plain is True and self._folder.sha256(name) != sha256)

    def _missing(self) -> str:
        """What lies in the inbox without its control file."""
        patterns = {dated(file.pattern, self._dates) for file in self._source.files.values()}
        beside = sorted({name for pattern in patterns for name in self._folder.names(pattern)})
        return f"no control file beside {', '.join(beside)}" if beside else "no control file"

    def _check_against_day_before(self, delivery: Delivery) -> None:
        before = self._before()
        if before is None:
            return
        same = {kind for kind, shas in delivery.shas.items() if shas & before.shas.get(kind, set())}
        repeated = sorted(kind for kind in same if self._source.files[kind].changes_daily)
        everything = delivery.shas == before.shas and not delivery.control.unchanged
        if repeated or everything:
            raise DeliveryConflictError(
                f"{', '.join(repeated) or 'every file'} with the content of {before.control.closing_date}",
                f"the ledger closed on {self._closing_date}",
                str(delivery),
            )

    def _before(self) -> Delivery | None:
        """The delivery of the day before, should it still lie in the inbox; else the last one picked up before."""
        with suppress(ControlFileError, SourceNotReadyError):
            waiting = self._on(self._closing_date - timedelta(days=1)).dropped()
            if waiting is not None:
                return waiting
        earlier = [day for day in self._archived_dates() if day < self._closing_date]
        return next((found[-1] for day in reversed(earlier) if (found := self._on(day).archived())), None)

    # ---------------------------------------------------------------------------------------------------- moving away
    def archive(self, delivery_id: str) -> list[str]:
        """Move a delivery from the inbox to the archive; names of what was moved.

        Copied, verified, and only then removed from the inbox, the control file last on both sides: killed anywhere,
        running it again completes it. A delivery that is dropped again is removed in the same way.

        Raises:
            SourceNotReadyError: A file in the inbox is not the one the control file declares.
            DeliveryConflictError: The inbox holds another delivery, and the archive does not hold this one.
            SourceUnreachableError: A file system did not answer.
        """
        dropped = self._read(self._folder)
        is_kept = delivery_id in {one.id for one in self.archived()}
        if dropped is not None and dropped.id == delivery_id:
            if not is_kept:
                self._copy(dropped)
            return self._remove(dropped)
        if dropped is not None and not is_kept:
            raise DeliveryConflictError(
                f"{dropped} in the inbox", f"{delivery_id[:SHOWN]}, which the day was extracted from", self.control_name
            )
        return []

    def tidy(self) -> list[str]:
        """Move away deliveries of any date that were picked up before and dropped again; their names.

        One with other content stays where it is, and is told.

        Raises:
            SourceUnreachableError: A file system did not answer.
        """
        there = set(self._folder.names())
        moved = []
        for day in self._archived_dates():
            one = self._on(day)
            if one.control_name not in there:
                continue
            is_plain = self._folder.is_plain(one.control_name)
            content = self._folder.head(one.control_name, CONTROL_BYTES + 1) if is_plain else b""
            found = hashlib.sha256(content).hexdigest()
            if found in {kept.id for kept in one.archived()}:
                moved += one.archive(found)
            else:
                log.warning(
                    "%s: another delivery %s under the name of one picked up: kept, and not read",
                    DeliveryConflictError.code,
                    one.control_name,
                )
        return moved

    def _copy(self, delivery: Delivery) -> None:
        target = self._archive / self._closing_date.isoformat() / self._archive_name(delivery.id)
        for file in delivery.control.files:
            self._copy_one(file.name, file.sha256, target)
            failpoint("inbox.copied_one")
        self._copy_one(delivery.name, delivery.id, target)
        failpoint("inbox.copied")

    def _copy_one(self, name: str, sha256: str, target: SourceFolder) -> None:
        if self._folder.copy_to(name, target) != sha256 or target.sha256(name) != sha256:
            raise SourceNotReadyError("another content than was extracted", "the declared SHA-256", name)

    def _remove(self, delivery: Delivery) -> list[str]:
        """Remove what the archive holds; a file whose content is another by now stays."""
        moved = []
        for name, sha256 in [
            *((file.name, file.sha256) for file in delivery.control.files),
            (delivery.name, delivery.id),
        ]:
            if self._differs(name, sha256):
                log.warning("%s: other content under the name %s: kept", DeliveryConflictError.code, name)
            elif self._folder.remove(name):
                failpoint("inbox.removed_one")
                moved.append(name)
        return moved

    def _archive_name(self, delivery_id: str) -> str:
        """The delivery's folder: the one that a killed run began, else a new number."""
        names = [folder.name for folder in self._numbered()]
        begun = [name for name in names if name.endswith(f"-{delivery_id[:ID_DIGITS]}")]
        last = max((int(name.split("-")[0]) for name in names), default=0)
        return begun[0] if begun else f"{last + 1:03d}-{delivery_id[:ID_DIGITS]}"

    # ---------------------------------------------------------------------------------------------------- what there is
    def _numbered(self) -> list[SourceFolder]:
        """The date's folders in the archive, in their order."""
        day = self._archive / self._closing_date.isoformat()
        names = [name for name in day.names() if NUMBERED.fullmatch(name)]
        return [day / name for name in sorted(names, key=lambda name: int(name.split("-")[0]))]

    def _archived_dates(self) -> list[date]:
        days = []
        for name in self._archive.names():
            if DAY.fullmatch(name):
                with suppress(ValueError):  # 2026-02-31 is nobody's closing date
                    days.append(date.fromisoformat(name))
        return days

    def _on(self, closing_date: date) -> Inbox:
        return Inbox(self._source, closing_date)

    def _read(self, folder: SourceFolder) -> Delivery | None:
        """The delivery whose control file lies in a folder."""
        is_plain = folder.is_plain(self.control_name)
        if is_plain is None:
            return None
        if not is_plain:
            raise ControlFileError("a link or a folder", "a file", self.control_name)
        content = folder.head(self.control_name, CONTROL_BYTES + 1)
        control = read_control(content, self.control_name)
        return Delivery(hashlib.sha256(content).hexdigest(), self.control_name, control, folder)
