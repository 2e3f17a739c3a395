"""Fits a bundle's head to cells, and says what that is worth on cells of specimens set aside."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leukoscope.adapting.cells import NamedCells, UnnamedCells, Window
from leukoscope.adapting.refit import ORIENTATIONS, cross_validated, sign_test, views
from leukoscope.adapting.self_training import refit_by_itself
from leukoscope.analysis.classifier import Classifier
from leukoscope.errors import AdaptingError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.head import FEATURES, Head, read_head, read_known
from leukoscope.inference.network import Network
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.specimen.cell import UNSURE

FEWEST_NAMED, FEWEST_UNNAMED = 25, 128
"""Cells; with as many the laboratories that were left out gained on the average (models/classifier/CARD.md)."""
ENOUGH_NAMED = 50
"""With so many named cells, unnamed ones do not teach: to 25 names they added as much as 25 more names, to 100 next to
nothing, and classes without a named cell got worse (models/classifier/CARD.md)."""
BY_CHANCE = 0.05
"""How likely chance alone may be to bring what names bring; else nothing is fitted."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head that knows a laboratory."""

    head: Head
    summary: str
    """What came of it, in words."""
    validation: Validation | None
    """How it names cells it was not fitted to: the laboratory's own of other specimens, and those that the bundle it
    comes from was judged by, of which the fit changes little. None where the laboratory has named no cells."""


class Fitter:
    """A classifier's bundle whose head can be fitted."""

    def __init__(
        self, bundle: Bundle, network: Network, progress: Callable[[int, int], None] = lambda done, of: None
    ) -> None:
        """Look whether a bundle can be fitted.

        Args:
            bundle: a classifier's.
            network: of it.
            progress: hears how many of how many cells were looked at, which takes nearly all of the time.

        Raises:
            AdaptingError: the bundle keeps no head apart from its network.
            BundleError: it is no classifier's, or a file is missing, altered or malformed.
        """
        self.namer = Classifier(bundle, network)
        head, known, facts = read_head(bundle), read_known(bundle), bundle.manifest.classifier
        if head is None or known is None or facts is None:
            raise AdaptingError(
                Sentence(
                    "bundle {bundle} keeps no last layer apart from its network",
                    bundle=Verbatim(f"{bundle.manifest.name} {bundle.manifest.version}"),
                ),
                "start from the classifier that comes with the software, or pack it with models/recipes/pack.py",
            )
        self._head, self._known, self._facts, self._network = head, known, facts, network
        self._progress = progress
        validated = bundle.validation_path()
        self._validation = None if validated is None else Validation.read(validated)
        self._classes = [one.key for one in facts.classes]
        self._may_mean = {key: (key,) for key in self._classes} | {name: tuple(of) for name, of in facts.groups.items()}

    @property
    def labels(self) -> frozenset[str]:
        """What a cell may be called: classes and groups of classes."""
        return frozenset(self._may_mean)

    def to_names(self, cells: NamedCells, beside: UnnamedCells, laboratory: str) -> Fitted:
        """The head fitted to named cells, and to unnamed ones by what it is then sure of.

        Args:
            cells: all called by one of `labels`.
            beside: of the same laboratory; there may be none. They teach where fewer than `ENOUGH_NAMED` are named.
            laboratory: what the bundle will be called.

        Raises:
            AdaptingError: the cells are too few, of one class or of one specimen, or the names bring no more than
                chance would.
        """
        _refuse_too_few(cells)
        allowed = np.array([[key in self._may_mean[label] for key in self._classes] for label in cells.labels])
        spared = len(beside.windows) if len(cells.labels) >= ENOUGH_NAMED else 0
        if spared:
            beside = UnnamedCells()
        features, others = self._features(cells.windows), self._features(beside.windows)

        def fit(learnt: NDArray[np.bool_], aside: Sequence[str]) -> Head:
            # What is left may hold one class only: then it teaches nothing.
            if len(np.unique(allowed[learnt], axis=0)) < 2:
                return self._head
            shown = others[~np.isin(beside.specimens, aside)]
            return self._refit(shown, (features[learnt], allowed[learnt]))

        unseen = cross_validated(fit, features, cells.specimens)
        before = _right(self._head.logits(features[:, 0]), allowed)
        after = _right(unseen[:, 0], allowed)
        summary = Sentence(
            "of {count} cells, the specimen of each set aside in turn, {before} are named right before, {after} after",
            count=len(allowed),
            before=before.sum(),
            after=after.sum(),
        )
        if sign_test(before, after) > BY_CHANCE:
            raise AdaptingError(
                Sentence("{summary}: no more than chance would bring", summary=summary),
                "name more, or keep the bundle you have",
            )
        if beside.windows:
            taught = Sentence("{unnamed} unnamed cells taught it, too", unnamed=len(beside.windows))
            summary = Sentence("{first}; {rest}", first=summary, rest=taught)
        if spared:
            unneeded = Sentence(
                "{spared} unnamed cells are not needed beside {enough} names or more",
                spared=spared,
                enough=ENOUGH_NAMED,
            )
            summary = Sentence("{first}; {rest}", first=summary, rest=unneeded)
        head = self._refit(others, (features, allowed))
        return Fitted(head, summary, self._validated_by(unseen, cells.labels, laboratory))

    def to_itself(self, cells: UnnamedCells) -> Fitted:
        """The head fitted to cells without names, by what it is sure of.

        Raises:
            AdaptingError: the cells are too few.
        """
        if len(cells.windows) < FEWEST_UNNAMED:
            raise AdaptingError(
                f"expected {FEWEST_UNNAMED} whole white cells or more, found {len(cells.windows)}",
                "add fields, or check --um-per-px",
            )
        features = self._features(cells.windows)
        head = self._refit(features)
        otherwise = np.mean(self._head.logits(features[:, 0]).argmax(1) != head.logits(features[:, 0]).argmax(1))
        return Fitted(head, f"{otherwise:.1%} of {len(features)} cells are called otherwise than before", None)

    def _refit(
        self,
        unnamed: NDArray[np.float32],
        named: tuple[NDArray[np.float32], NDArray[np.bool_]] | None = None,
    ) -> Head:
        groups, temperature = self._group_places(), self._facts.temperature
        return refit_by_itself(self._head, self._known, unnamed, groups, named, temperature)

    def _features(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """(cells, views, features)."""
        seen = []
        for number, window in enumerate(windows, 1):
            seen += [self._network.run(view)[FEATURES] for view in views(window)]
            self._progress(number, len(windows))
        return np.array(seen, dtype=np.float32).reshape(len(windows), ORIENTATIONS, self._head.weights.shape[1])

    def _group_places(self) -> list[tuple[int, ...]]:
        grouped = [tuple(map(self._classes.index, members)) for members in self._facts.groups.values()]
        inside = {place for places in grouped for place in places}
        return grouped + [(place,) for place in range(len(self._classes)) if place not in inside]

    def _validated_by(self, logits: NDArray[np.float32], labels: Sequence[str], laboratory: str) -> Validation | None:
        """The validation there was, and truth against answer as the device decides; logits (cells, views, classes).

        A hundred cells alone would be worse than none: of a rare class of which two are named rightly and one is not,
        a third of all other cells might be.
        """
        if self._validation is None:
            return None
        answers = (*self._classes, UNSURE)
        counted = Counter(
            (label, self.namer.decide(self.namer.probabilities_of(iter(looks)))[0])
            for label, looks in zip(labels, logits, strict=True)
        )
        truth = tuple(sorted(set(labels)))
        own = ConfusionMatrix(
            collection=laboratory,
            held_out_by="slide",
            truth=truth,
            named=answers,
            counts=tuple(tuple(counted[label, answer] for answer in answers) for label in truth),
        )
        return Validation(matrices=(*self._validation.matrices, own))


def _refuse_too_few(cells: NamedCells) -> None:
    classes, specimens = len(set(cells.labels)), len(set(cells.specimens))
    if len(cells.labels) < FEWEST_NAMED or classes < 2 or specimens < 2:
        raise AdaptingError(
            Sentence(
                "expected {least} named cells or more, of two classes and two specimens at least, found {found} of "
                "{classes} and {specimens}",
                least=FEWEST_NAMED,
                found=len(cells.labels),
                classes=classes,
                specimens=specimens,
            ),
            "name more (leukoscope report review)",
        )


def _right(logits: NDArray[np.float32], allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(allowed[np.arange(len(logits)), logits.argmax(axis=1)])
