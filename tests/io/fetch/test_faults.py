"""Each fault of a server ends in a completed retry or in one clear line; no partial file, no corrupt cache."""

from __future__ import annotations

import gzip
import zlib

import pytest

from corridor.io.fetch.cache import Cache
from tests.io.fetch import server as fault
from tests.io.fetch.conftest import QUERY, TILE


def leftovers(cache) -> list[str]:
    return sorted(path.name for path in (cache / "partial").iterdir())


PASSING = {
    "busy": fault.status(429, Retry_After="0"),
    "busy without a word": fault.status(429),
    "busy until a date": fault.status(503, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
    "gateway": fault.status(504),
    "slow": fault.wait(1.3),
    "drop": fault.drop(bytes(5000), 100),
    "shorter than stated": fault.body(bytes(10), Content_Length="5000", Connection="close"),
}


@pytest.mark.parametrize("path", [QUERY, TILE])
@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again(name, path, server, study, cache, call, monkeypatch):
    if name == "slow":
        monkeypatch.setenv("CORRIDOR_HTTP_TIMEOUT_S", "1")
    server.faults.append((path, PASSING[name]))
    code, _, err = call("fetch", study, "--cache", cache)
    assert (code, server.faults) == (0, []), err
    assert Cache(cache).verify() == []
    assert leftovers(cache) == []


def test_a_wait_that_is_asked_for_is_kept(server, study, cache, call):
    import time

    server.faults.append((TILE, fault.status(429, Retry_After="1")))
    begun = time.monotonic()
    assert call("fetch", study, "--cache", cache)[0] == 0
    assert time.monotonic() - begun > 1


LASTING = {
    "busy": (fault.status(429), "429"),
    "busy for an hour": (fault.status(429, Retry_After="3600"), "3600 s"),
    "busy for ever": (fault.status(429, Retry_After="1e400"), "429"),
    "gateway": (fault.status(504), "504"),
    "forbidden": (fault.status(403), "403"),
    "web page": (fault.web_page, "web page"),
    "drop": (fault.drop(bytes(5000), 100), "broke"),
    "wrong length": (fault.body(bytes(10), Content_Length="5000", Connection="close"), "broke"),
    "away": (fault.redirect("http://example.org/elsewhere"), "plain http"),
    "to a file": (fault.redirect("file:///etc/passwd"), "https"),
    "nothing": (fault.body(b""), ""),
    "noise": (fault.body(bytes(range(256)) * 4), ""),
}


@pytest.mark.parametrize("path", [QUERY, TILE])
@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_one_line(name, path, server, study, cache, call):
    bad, says = LASTING[name]
    server.faults += [(path, bad)] * 10
    code, out, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, out) == (2, ""), err
    (line,) = err.splitlines()
    assert line.startswith("corridor: ")
    assert server.url in line
    assert says in line
    assert Cache(cache).verify() == []
    assert leftovers(cache) == []
    server.faults.clear()
    assert call("fetch", study, "--cache", cache)[0] == 0


# Made where they are asked for: to pack so much takes longer than the test, in every process that collects this one.
TILE_FAULTS = {
    "bomb": (lambda: gzip.compress(bytes(200_000_000), 9), "more than"),
    "cut short": (lambda: gzip.compress(bytes(2_884_802))[:-20], "cut short"),
    "bit flipped": (lambda: gzip.compress(bytes(2_884_802))[:-8] + bytes(8), "gzip"),
    "another size": (lambda: gzip.compress(bytes(1000)), "no tile"),
}


@pytest.mark.parametrize("name", TILE_FAULTS)
def test_a_tile_that_is_none_is_refused(name, server, study, cache, call):
    pack, says = TILE_FAULTS[name]
    server.files[TILE] = pack()
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert says in err
    assert [r.file for r in Cache(cache).entries() if "hgt" in r.file] == []
    assert leftovers(cache) == []


ANSWERS = {
    "a list": b"[]",
    "no elements": b"{}",
    "a text for a number": b'{"elements": [{"type": "node", "id": "x", "lat": 1, "lon": 1}]}',
    "nowhere": b'{"elements": [{"type": "node", "id": 1, "lat": 1e999, "lon": 1}]}',
    "off the Earth": b'{"elements": [{"type": "node", "id": 1, "lat": 91, "lon": 1}]}',
    "a huge id": b'{"elements": [{"type": "node", "id": 99999999999999999999, "lat": 1, "lon": 1}]}',
    "nested": b'{"elements":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "tags of numbers": b'{"elements": [{"type": "way", "id": 1, "nodes": [1, 2], "tags": {"highway": 3}}]}',
    "nothing there": b'{"elements": []}',
    "half": b'{"elements": [',
    "timed out": b'{"elements": [], "remark": "runtime error: Query timed out in \\"query\\" at line 1 after 2 s."}',
    "busy": b'{"elements": [], "remark": "runtime error: open64: 0 Success /osm3s_v0.7.57"}',
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_no_map_is_refused(name, server, study, cache, call):
    server.faults += [(QUERY, fault.body(ANSWERS[name], Content_Type="application/json"))] * 10
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1), err
    assert server.url in err
    assert leftovers(cache) == []
    server.faults.clear()
    assert call("fetch", study, "--cache", cache)[0] == 0


def test_a_packed_bomb_for_an_answer_is_refused(server, study, cache, call, monkeypatch):
    monkeypatch.setenv("CORRIDOR_HTTP_MAX_MB", "50")
    server.faults += [(QUERY, fault.body(zlib.compress(bytes(200_000_000), 9), Content_Encoding="deflate"))] * 3
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "50 MB" in err


@pytest.mark.parametrize("path", [QUERY, TILE])
def test_a_redirect_loop_ends(path, server, study, cache, call):
    server.faults += [(path, fault.redirect(path))] * 50
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "redirects more than" in err
    assert len(server.asked(path)) < 10


def test_a_short_redirect_is_followed(server, study, cache, call):
    server.files["/mirror.gz"] = server.files[TILE]
    server.faults.append((TILE, fault.redirect("/mirror.gz")))
    assert call("fetch", study, "--cache", cache)[0] == 0
    assert server.asked("mirror")


def test_a_server_that_drips_is_given_up(server, study, cache, call, monkeypatch):
    monkeypatch.setenv("CORRIDOR_HTTP_TRIES", "1")
    monkeypatch.setenv("CORRIDOR_HTTP_TIMEOUT_S", "0.5")
    server.faults.append((TILE, fault.drip(100, 0.1)))
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "next to nothing" in err


def test_a_query_s_answer_that_drips_is_given_up_in_time(server, study, cache, call, monkeypatch):
    monkeypatch.setenv("CORRIDOR_HTTP_TRIES", "1")
    monkeypatch.setenv("CORRIDOR_HTTP_TOTAL_S", "1")
    server.faults.append(("/api/interpreter", fault.drip(100, 0.1)))
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "takes too long" in err


def test_a_file_larger_than_allowed_is_refused(server, study, cache, call, monkeypatch):
    monkeypatch.setenv("CORRIDOR_HTTP_MAX_MB", "0.001")
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "CORRIDOR_HTTP_MAX_MB" in err


def test_a_tile_missing_over_ground_is_said(server, study, cache, call):
    del server.files[TILE]
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "N45E010" in err
    assert "XA, XB, XC" in err


def test_nobody_there_is_said(study, cache, call, server, monkeypatch):
    monkeypatch.setenv("CORRIDOR_SKADI_URL", "http://127.0.0.1:9/skadi")
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "can't be reached" in err


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OVERPASS_URL", "http://example.org/api", "ALLOW_HTTP"),
        ("OVERPASS_URL", "ftp://example.org/api", "OVERPASS_URL"),
        ("SKADI_URL", "https://me:secret@example.org", "password"),
        ("HTTP_TRIES", "many", "CORRIDOR_HTTP_TRIES"),
        ("HTTP_TIMEOUT_S", "nan", "CORRIDOR_HTTP_TIMEOUT_S"),
    ],
)
def test_settings_that_can_t_be_are_refused(name, value, says, server, study, cache, call, monkeypatch):
    monkeypatch.setenv(f"CORRIDOR_{name}", value)
    code, _, err = call("fetch", study, "--cache", cache, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert says in err
    assert server.seen == []
