"""A second reckoning of long-distance flows, from the tables' files and the documented formulas alone.

Nothing of the package is used. Ways are found by another method than the package's: the price of unreliable delays is
a square root, so the cost of a way, certain dollars ``c`` and variance ``v``, is ``c + sqrt(v)``, which no chord lies
below. Its least value stands at a corner of the hull of all ``(c, v)``, and each corner is the shortest path for some
``c + weight * v``: networkx finds these, corner by corner.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections import defaultdict
from pathlib import Path

import networkx as nx

RANK = {"low": 0, "mid": 1, "high": 2}


def _rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _ends(row, name):
    """Low, middle and high of a range; a missing end is the middle, a missing range None."""
    middle = row[f"{name}_mid"]
    if middle == "":
        return None
    return [float(row[f"{name}_{end}"] or middle) for end in ("low", "mid", "high")]


class Oracle:
    """The tables of a folder, priced at one end."""

    def __init__(self, folder: Path) -> None:
        names = ("links", "nodes", "transfers", "tariffs", "parameters", "demand", "branches", "border_points")
        self.table = {name: _rows(folder / f"{name}.csv") for name in (*names, "actions")}
        own = folder / "border_delays.csv"
        self.delays = _rows(own if own.exists() else folder.parent / "border_delays.csv")
        self.links = {row["link_id"]: row for row in self.table["links"]}
        self.nodes = {row["node_id"]: row for row in self.table["nodes"]}
        self.points = {row["link_id"]: row["point"] for row in self.table["border_points"]}
        self.parameter = {row["parameter"]: _ends(row, "value") for row in self.table["parameters"]}

    def in_use(self, year, opened=(), shut=(), without=()):
        """Links of a year as documented: open ones, works that end by then, what a route opens by then."""
        found = set()
        for key, row in self.links.items():
            opens = _ends(row, "opens_year")
            done = opens is not None and opens[1] <= year
            use = row["status"] == "open" or (row["status"] in ("construction", "planned") and done)
            if key in opened:
                use = row["status"] == "open" or done
            if use and key not in shut and key not in without:
                found.add(key)
        return found

    def acts(self, candidate, regime, measured):
        """Links that a route opens, hours that it adds, links that it shuts, by ``actions.csv``."""
        opened, hours, shut, stake = set(), defaultdict(float), set(), set()
        for row in self.table["actions"]:
            if row["candidate_id"] not in (candidate, "*") or row["regime_id"] not in (regime, "*"):
                continue
            link, value = row["link_id"], measured.get(row["measure"])
            if row["action"] == "open":
                opened.add(link)
            elif row["action"] == "close" or (row["action"] == "delay" and value == "unreachable"):
                shut.add(link)
            elif row["action"] == "delay" and isinstance(value, float):
                hours[link] += value / 60
            elif row["action"] == "stake" and value == "unreachable":
                stake.add(link)
        return opened, hours, shut, stake

    def _tariff(self, kind, mode, target, end):
        for wanted in (target, "*") if kind == "running_cost" else (target,):
            for row in self.table["tariffs"]:
                if (row["kind"], row["mode"], row["applies_to"]) == (kind, mode, wanted):
                    return _ends(row, "price")[RANK[end]]
        assert kind != "running_cost"
        return 0.0

    def _side(self, point, country, direction, mode):
        """Hours, their variation and dollars of one side: the newest year's middle within the ends of all years."""
        for place in (point, "all"):
            for land in (country, "*"):
                for way in (direction, "both"):
                    rows = [
                        row for row in self.delays
                        if (row["point"], row["country"], row["direction"], row["mode"]) == (place, land, way, mode)
                    ]  # fmt: skip
                    if rows:
                        rows.sort(key=lambda row: int(row["year"]))
                        return self._over_years(rows)
        return None

    def _over_years(self, rows):
        def spanned(name):
            found = [each for each in (_ends(row, name) for row in rows) if each]
            return [min(e[0] for e in found), found[-1][1], max(e[2] for e in found)] if found else [0.0] * 3

        last, hours = rows[-1], spanned("hours")
        variation = None
        if last["hours_sd"] and hours[1] > 0:
            variation = float(last["hours_sd"]) / hours[1]
        elif last["hours_p95"] and hours[1] > 0:
            variation = _lognormal(hours[1], float(last["hours_p95"]))
        return hours, variation, spanned("fee_usd")

    def graph(self, links, end, value=None, extra_h=None):
        """All states ``(node, system)`` with what each step costs: certain dollars, variance, link."""
        at = RANK[end]
        par = {name: ends[at] for name, ends in self.parameter.items()}
        cargo = (value[at] if value else par["cargo_value_usd"]) * par["cargo_pct_per_day"] / 100 / 24

        def hour(system):
            return cargo + (par["vehicle_usd_per_h"] if system in ("road", "ferry") else 0.0)

        steps, systems = [], defaultdict(set)
        for key in links:
            row = self.links[key]
            runs = [f"rail-{mm}" for mm in row["gauge_mm"].split(";")] if row["mode"] == "rail" else [row["mode"]]
            for system in runs:
                systems[row["from_node"]].add(system)
                systems[row["to_node"]].add(system)
                for ends in ((row["from_node"], row["to_node"]), (row["to_node"], row["from_node"])):
                    steps.append((*self._passage(key, ends, system, end, hour(system), par, extra_h or {}), key))
        for row in self.table["transfers"]:
            pair = (row["from_system"], row["to_system"])
            if not set(pair) <= systems[row["node_id"]]:
                continue
            rate = hour("road" if set(pair) <= {"road", "ferry"} else "rail")
            hours = _ends(row, "hours")
            spread = _lognormal(hours[1], float(row["hours_p95"])) if row["hours_p95"] else par["delay_variation"]
            usd = hours[at] * rate + _ends(row, "price_usd")[at]
            sigma = [hours[at] * spread * rate * par["reliability_ratio"]]
            for a, b in (pair, pair[::-1]):
                steps.append(((row["node_id"], a), (row["node_id"], b), usd, sigma, ""))
        for node, there in systems.items():
            for system in there - ({"ferry"} if "road" in there else set()):
                usd, sigma = 0.0, []
                if system not in ("road", "ferry"):
                    usd = par["terminal_usd"] + par["terminal_h"] * hour(system)
                    sigma = [par["terminal_h"] * par["delay_variation"] * hour(system) * par["reliability_ratio"]]
                for ends in (((node, "out"), (node, system)), ((node, system), (node, "in"))):
                    steps.append((*ends, usd, sigma, ""))
        if end == "high":  # deviations add up plainly
            return [(a, b, usd + sum(sigma), 0.0, key) for a, b, usd, sigma, key in steps]
        return [(a, b, usd, sum(s * s for s in sigma), key) for a, b, usd, sigma, key in steps]

    def _passage(self, key, ends, system, end, hour, par, extra_h):
        row, at = self.links[key], RANK[end]
        km, middle = _ends(row, "length_km")[at], _ends(row, "length_km")[1]
        speed = _ends(row, "speed_kmh")[2 - at]
        lands = row["countries"].split(";")
        first = float(row["first_country_km"] or middle / 2)
        part = {lands[0]: middle} if len(lands) == 1 else {lands[0]: first, lands[1]: middle - first}
        mode = row["mode"]
        running = sum(share / middle * self._tariff("running_cost", mode, land, end) for land, share in part.items())
        drive = km / speed
        hours = drive * (1 + (par["rest_h_per_driven_h"] if mode == "road" else 0)) + extra_h.get(key, 0.0)
        usd, sigma = km * running + self._tariff("fare", mode, key, end), []
        if len(lands) > 1:
            left, entered = lands if ends[0] == row["from_node"] else lands[::-1]
            usd += self._tariff("entry_fee", mode, entered, end)
            for land, direction in ((left, "outbound"), (entered, "inbound")):
                side = self._side(self.points.get(key, ""), land, direction, mode) if mode in ("road", "rail") else None
                if side:
                    waits, variation, fees = side
                    usd += fees[at]
                    hours += waits[at]
                    spread = par["delay_variation"] if variation is None else variation
                    sigma.append(waits[at] * spread * hour * par["reliability_ratio"])
        return (ends[0], system), (ends[1], system), usd + hours * hour, sigma

    def best(self, steps, origin, destination, modes=None, via=(), avoid=(), without=()):
        """Cost and links of the best way: the least of the corners of the hull of ``(c, v)``."""
        graph = nx.DiGraph()
        for a, b, usd, variance, key in steps:
            needed = {system.split("-")[0] for system in (a[1], b[1])} - {"out", "in"}
            lands = set(self.links[key]["countries"].split(";")) if key else set()
            if (modes and not needed <= set(modes)) or lands & set(avoid) or key in without:
                continue
            for stage in range(len(via) + 1):
                after = stage + 1 if stage < len(via) and key and via[stage] == key else stage
                while after < len(via) and via[after] == b[0]:
                    after += 1
                tail, head = (a, stage), (b, after)
                if graph.has_edge(tail, head) and self._worse((usd, variance), graph[tail][head]["steps"]):
                    continue
                known = graph[tail][head]["steps"] if graph.has_edge(tail, head) else []
                graph.add_edge(tail, head, steps=[*known, (usd, variance, key)])
        begun = 0
        while begun < len(via) and via[begun] == origin:
            begun += 1
        start, goal = ((origin, "out"), begun), ((destination, "in"), len(via))
        if start not in graph or goal not in graph or not nx.has_path(graph, start, goal):
            return math.inf, ()
        return min(self._corners(graph, start, goal), key=lambda found: found[0])

    @staticmethod
    def _worse(step, known):
        return any(usd <= step[0] and variance <= step[1] for usd, variance, _ in known)

    @staticmethod
    def _corners(graph, start, goal):
        def walk(usd_weight, variance_weight):
            def length(a, b, data):
                return min(usd_weight * s[0] + variance_weight * s[1] for s in data["steps"])

            nodes = nx.dijkstra_path(graph, start, goal, weight=length)
            taken = [
                min(graph[a][b]["steps"], key=lambda s: usd_weight * s[0] + variance_weight * s[1])
                for a, b in itertools.pairwise(nodes)
            ]
            return sum(s[0] for s in taken), sum(s[1] for s in taken), tuple(s[2] for s in taken if s[2])

        def between(left, right):
            # the normal of the chord from one corner to the next finds what lies below it
            a, b = left[1] - right[1], right[0] - left[0]
            if a <= 1e-9 or b <= 1e-9:
                return
            found = walk(a, b)
            if a * found[0] + b * found[1] < a * left[0] + b * left[1] - 1e-6 * (1 + a * left[0]):
                corners.append(found)
                between(left, found)
                between(found, right)

        cheapest, surest = walk(1.0, 1e-12), walk(1e-9, 1.0)
        corners = [cheapest, surest]
        between(cheapest, surest)
        return [(usd + math.sqrt(variance), links) for usd, variance, links in corners]

    def branches(self, pair):
        return [row for row in self.table["branches"] if (row["origin"], row["destination"]) == pair]

    def value(self, pair):
        (row,) = [row for row in self.table["demand"] if (row["origin"], row["destination"]) == pair]
        return _ends(row, "cargo_value_usd")

    def branch(self, steps, row):
        parts = {name: tuple(filter(None, row[name].split(";"))) for name in ("modes", "via", "avoid_countries")}
        return self.best(
            steps, row["origin"], row["destination"], parts["modes"], parts["via"], parts["avoid_countries"]
        )

    def path_sizes(self, pair):
        """Of each branch's way over what is open today, or else over everything."""
        today = [key for key, row in self.links.items() if row["status"] == "open"]
        graphs = [self.graph(links, "mid", self.value(pair)) for links in (today, list(self.links))]
        ways = []
        for at, row in enumerate(self.branches(pair)):
            found = self.branch(graphs[0], row)[1] or self.branch(graphs[1], row)[1]
            ways.append({key: _ends(self.links[key], "length_km")[1] for key in found} or {f"none {at}": 1.0})
        users = defaultdict(int)
        for way in ways:
            for key in way:
                users[key] += 1
        return [sum(km / users[key] for key, km in way.items()) / sum(way.values()) for way in ways]

    def choice(self, pair, links, extra_h=None):
        """Costs, shares and logsum of a pair's branches at the middle."""
        steps = self.graph(links, "mid", self.value(pair), extra_h)
        costs = [self.branch(steps, row)[0] for row in self.branches(pair)]
        theta, sizes = self.parameter["theta_per_usd"][1], self.path_sizes(pair)
        least = min(costs)
        weights = [size * math.exp(-theta * (cost - least)) for size, cost in zip(sizes, costs, strict=True)]
        return costs, [w / sum(weights) for w in weights], least - math.log(sum(weights)) / theta


def _lognormal(mean, p95):
    """Standard deviation over mean, by bisection of the spread whose law has this mean and percentile."""
    low, high = 0.0, 1.6448536269514722
    for _ in range(200):
        middle = (low + high) / 2
        if mean * math.exp(1.6448536269514722 * middle - middle**2 / 2) < p95:
            low = middle
        else:
            high = middle
    return math.sqrt(math.exp(low**2) - 1)
