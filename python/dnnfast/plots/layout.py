"""Places the boxes of a graph in ranks, one below the other, with few crossings of its edges."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

# Inches.
RANK_GAP = 0.38
BOX_GAP = 0.3
_SWEEPS = 12


@dataclass
class Box:
    """What is placed: its size, and its centre once it is placed."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0
    rank: int = 0


@dataclass
class Layout:
    """Boxes and edges (pairs of their numbers), and where `place` has put them.

    ``routes`` holds the points that each edge goes through.
    """

    boxes: list[Box]
    edges: list[tuple[int, int]]
    width: float = 0.0
    height: float = 0.0
    routes: list[list[tuple[float, float]]] = field(default_factory=list)


class _Placing:
    """The boxes of all ranks; an edge over several ranks has a thin box in each between."""

    def __init__(self, layout: Layout) -> None:
        self.boxes = list(layout.boxes)
        self.real = len(self.boxes)
        self._rank(layout.edges)
        self.below: list[list[int]] = [[] for _ in self.boxes]
        self.above: list[list[int]] = [[] for _ in self.boxes]
        self.paths = [self._path(a, b) for a, b in layout.edges]
        ranks = 1 + max((box.rank for box in self.boxes), default=0)
        self.ranks: list[list[int]] = [[] for _ in range(ranks)]
        for i, box in enumerate(self.boxes):
            self.ranks[box.rank].append(i)

    def _rank(self, edges: list[tuple[int, int]]) -> None:
        """Put each box below all that it reads; sources as low as what reads them allows."""
        targets: dict[int, list[int]] = {}
        for a, b in edges:  # the boxes are numbered in an order in which they can run
            targets.setdefault(a, []).append(b)
        for a in range(self.real):
            for b in targets.get(a, ()):
                self.boxes[b].rank = max(self.boxes[b].rank, self.boxes[a].rank + 1)
        read = {b for _, b in edges}
        for a in range(self.real):
            if a not in read and a in targets:
                self.boxes[a].rank = min(self.boxes[b].rank for b in targets[a]) - 1

    def _path(self, a: int, b: int) -> list[int]:
        path = [a]
        for rank in range(self.boxes[a].rank + 1, self.boxes[b].rank):
            self.boxes.append(Box(0.02, 0.0, rank=rank))
            self.below.append([])
            self.above.append([])
            path.append(len(self.boxes) - 1)
        path.append(b)
        for upper, lower in itertools.pairwise(path):
            self.below[upper].append(lower)
            self.above[lower].append(upper)
        return path

    def order(self) -> None:
        """Sort each rank by the mean position of its neighbours, down and up again."""
        best, fewest = [list(rank) for rank in self.ranks], self._crossings()
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            neighbours = self.above if down else self.below
            place = {i: k for rank in self.ranks for k, i in enumerate(rank)}

            def key(i: int, place: dict[int, int] = place, near: list = neighbours) -> float:
                return sum(place[j] for j in near[i]) / len(near[i]) if near[i] else place[i]

            for rank in self.ranks if down else self.ranks[::-1]:
                rank.sort(key=key)
                place.update((i, k) for k, i in enumerate(rank))
            found = self._crossings()
            if found < fewest:
                best, fewest = [list(rank) for rank in self.ranks], found
        self.ranks = best

    def _crossings(self) -> int:
        place = {i: k for rank in self.ranks for k, i in enumerate(rank)}
        total = 0
        for rank in self.ranks:
            ends = [(place[i], place[j]) for i in rank for j in self.below[i]]
            for k, (a, b) in enumerate(ends):
                total += sum(1 for c, d in ends[k + 1 :] if (a - c) * (b - d) < 0)
        return total

    def set_x(self) -> None:
        """Move boxes towards the middle of their neighbours as far as there is room."""
        for rank in self.ranks:
            self._spread(rank, dict.fromkeys(rank, 0.0))
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            neighbours = self.above if down else self.below
            for rank in self.ranks if down else self.ranks[::-1]:
                wanted = {}
                for i in rank:
                    near = [self.boxes[j].x for j in neighbours[i]]
                    wanted[i] = sum(near) / len(near) if near else self.boxes[i].x
                self._spread(rank, wanted)

    def _spread(self, rank: list[int], wanted: dict[int, float]) -> None:
        """Give the boxes of a rank places without overlap whose squared error is least.

        Groups of touching boxes are joined as long as they overlap (isotonic regression).
        """
        offsets = [0.0]
        for i, j in itertools.pairwise(rank):
            gap = BOX_GAP + (self.boxes[i].width + self.boxes[j].width) / 2
            offsets.append(offsets[-1] + gap)
        groups: list[tuple[float, int]] = []  # mean of wanted minus offset, and size
        for i, offset in zip(rank, offsets, strict=True):
            mean, size = wanted[i] - offset, 1
            while groups and groups[-1][0] > mean:
                other, more = groups.pop()
                mean, size = (other * more + mean * size) / (more + size), more + size
            groups.append((mean, size))
        at = 0
        for mean, size in groups:
            for k in range(at, at + size):
                self.boxes[rank[k]].x = mean + offsets[k]
            at += size

    def set_y(self) -> None:
        """Put rank below rank."""
        top = 0.0
        for rank in self.ranks:
            height = max((self.boxes[i].height for i in rank), default=0.0)
            for i in rank:
                self.boxes[i].y = top + height / 2
                if i >= self.real:  # a way past boxes is straight along them
                    self.boxes[i].height = height
            top += height + RANK_GAP


def place(layout: Layout) -> None:
    """Give the boxes places, with the origin at the top left and y downwards."""
    if not layout.boxes:
        return
    placing = _Placing(layout)
    placing.order()
    placing.set_x()
    placing.set_y()
    left = min(box.x - box.width / 2 for box in placing.boxes)
    for box in placing.boxes:
        box.x -= left
    layout.width = max(box.x + box.width / 2 for box in placing.boxes)
    layout.height = max(box.y + box.height / 2 for box in placing.boxes)
    layout.routes = [_route(placing, path) for path in placing.paths]


def _route(placing: _Placing, path: list[int]) -> list[tuple[float, float]]:
    """Return the points of an edge: from the lower side of a box to the upper side of another."""
    first, last = placing.boxes[path[0]], placing.boxes[path[-1]]
    points = [(first.x, first.y + first.height / 2)]
    for i in path[1:-1]:
        box = placing.boxes[i]
        points += [(box.x, box.y - box.height / 2), (box.x, box.y + box.height / 2)]
    return [*points, (last.x, last.y - last.height / 2)]
