"""Downloads over real HTTP: a server on the loopback that drops, refuses and ignores things."""

import hashlib
import io
import json
import os
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from miniature import align, write_clip

from talker import cli, download
from talker.corpora import fetch, grid
from talker.corpora.fetch import fetch_grid, unpack
from talker.errors import TalkerError

QUICK = {"pause": 0.001}  # seconds between attempts


class Server(ThreadingHTTPServer):
    """Serves `files` (path -> bytes), as badly as the other attributes say."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []  # path, Range
        self.knows_range = True
        self.states_length = True
        self.drop_after: list[int] = []  # bytes after which to hang up, one for each answer
        self.failures: list[tuple[int, dict]] = []  # statuses and headers to answer first
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.requests.append((self.path, asked))
        if server.failures:
            status, headers = server.failures.pop(0)
            return self.answer(status, headers)
        if self.path not in server.files:
            return self.answer(404, {"Content-Length": "0"})
        content = whole = server.files[self.path]
        status, headers = 200, {}
        if asked and server.knows_range:
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
            if first >= len(whole):
                return self.answer(416, {"Content-Range": f"bytes */{len(whole)}"})
            status, content = 206, whole[first:]
            headers["Content-Range"] = f"bytes {first}-{len(whole) - 1}/{len(whole)}"
        if server.states_length:
            headers["Content-Length"] = str(len(content))
        self.answer(status, headers)
        self.wfile.write(content[: server.drop_after.pop(0) if server.drop_after else None])
        self.close_connection = True

    def answer(self, status: int, headers: dict) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def content(server) -> bytes:
    """What /big.bin of the server holds: more than a block."""
    server.files["/big.bin"] = os.urandom(3 * download.BLOCK + 17)
    return server.files["/big.bin"]


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


# ---- one file


def test_a_dropped_connection_goes_on_where_it_stopped(tmp_path, server, content):
    server.drop_after = [300_000, 200_000, 0]
    path = download.download(f"{server.url}/big.bin", tmp_path / "a.bin", md5=md5(content), **QUICK)
    assert path.read_bytes() == content
    assert [asked for _, asked in server.requests] == [
        None,
        "bytes=300000-",
        "bytes=500000-",
        "bytes=500000-",
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_the_next_run_goes_on_where_the_last_one_was_killed(tmp_path, server, content):
    (tmp_path / "a.bin.part").write_bytes(content[:1000])
    download.download(f"{server.url}/big.bin", tmp_path / "a.bin", md5=md5(content), **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == content
    download.download(f"{server.url}/big.bin", tmp_path / "a.bin")  # there already
    assert [asked for _, asked in server.requests] == ["bytes=1000-"]


def test_killed_between_the_last_byte_and_the_name(tmp_path, server, content):
    (tmp_path / "a.bin.part").write_bytes(content)
    download.download(f"{server.url}/big.bin", tmp_path / "a.bin", md5=md5(content), **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == content
    assert len(server.requests) == 1


def test_a_server_that_ignores_range_sends_it_all_again(tmp_path, server, content):
    server.knows_range, server.drop_after = False, [500_000, 600_000]
    download.download(f"{server.url}/big.bin", tmp_path / "a.bin", md5=md5(content), **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == content
    assert len(server.requests) == 3


def test_a_server_that_does_not_say_the_length(tmp_path, server, content):
    server.states_length = False
    download.download(f"{server.url}/big.bin", tmp_path / "a.bin", md5=md5(content), **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == content


def test_a_shorter_file_than_the_last_time_is_begun_anew(tmp_path, server, content):
    (tmp_path / "a.bin.part").write_bytes(content + b"of an older, longer file")
    download.download(f"{server.url}/big.bin", tmp_path / "a.bin", md5=md5(content), **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == content


def test_a_busy_server_is_asked_again(tmp_path, server, content):
    server.failures = [(503, {"Retry-After": "0"}), (429, {}), (500, {})]
    download.download(f"{server.url}/big.bin", tmp_path / "a.bin", **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == content


def test_a_wrong_checksum_is_said_and_the_file_removed(tmp_path, server, content):
    with pytest.raises(TalkerError, match="arrived damaged .*deleted: run the same command again"):
        download.download(f"{server.url}/big.bin", tmp_path / "a.bin", md5=md5(b""), **QUICK)
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_is_refused_is_not_tried_again(tmp_path, server):
    with pytest.raises(TalkerError, match="gone.bin is refused .404"):
        download.download(f"{server.url}/gone.bin", tmp_path / "a.bin", **QUICK)
    assert len(server.requests) == 1


def test_a_server_out_of_reach_keeps_what_was_received(tmp_path, server, content):
    server.drop_after = [100_000] + [0] * 3
    with pytest.raises(TalkerError, match="connection was lost.*goes on where it stopped"):
        download.download(f"{server.url}/big.bin", tmp_path / "a.bin", attempts=3, **QUICK)
    assert (tmp_path / "a.bin.part").read_bytes() == content[:100_000]
    server.shutdown()
    server.server_close()
    with pytest.raises(TalkerError, match="cannot be reached.*refused"):
        download.download(f"{server.url}/big.bin", tmp_path / "a.bin", attempts=2, **QUICK)
    assert (tmp_path / "a.bin.part").stat().st_size == 100_000


def test_a_disk_that_cannot_be_written_to_is_named(tmp_path, server, content):
    with pytest.raises(TalkerError, match=r"a\.bin\.part cannot be written"):
        download.download(f"{server.url}/big.bin", tmp_path / "no" / "a.bin", **QUICK)


# ---- archives


def zipped(members: dict[str, bytes], **attributes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            for key, value in attributes.items():
                setattr(member, key, value)
            archive.writestr(member, content)
    return buffer.getvalue()


def tree(folder) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_unpacking_opens_the_folder_and_leaves_out_what_macos_adds(tmp_path):
    members = {"s1/a.mpg": b"1", "s1/sub/b.mpg": b"2", "s1/._a.mpg": b"", "__MACOSX/s1/c": b""}
    (tmp_path / "s1.zip").write_bytes(zipped(members | {"s1/": b"", "d.mpg": b"3"}))
    (tmp_path / ".s1.unpacking").mkdir()
    (tmp_path / ".s1.unpacking" / "left over").write_bytes(b"")
    unpack(tmp_path / "s1.zip", tmp_path / "s1")
    assert tree(tmp_path) == ["s1.zip", "s1/a.mpg", "s1/d.mpg", "s1/sub/b.mpg"]
    assert (tmp_path / "s1" / "sub" / "b.mpg").read_bytes() == b"2"


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("../evil.mpg", {}),
        ("s1/../../evil.mpg", {}),
        ("/tmp/evil.mpg", {}),
        ("..\\evil.mpg", {}),
        ("C:/evil.mpg", {}),
        ("s1/link", {"external_attr": 0o120777 << 16, "create_system": 3}),
    ],
)
def test_a_path_that_leads_out_is_refused_and_nothing_written(tmp_path, name, attributes):
    inner = tmp_path / "inner"
    inner.mkdir()
    content = zipped({"s1/good.mpg": b"1"} | {name: b"../../elsewhere"}, **attributes)
    (inner / "s1.zip").write_bytes(content)
    with pytest.raises(TalkerError, match="leads out of its folder"):
        unpack(inner / "s1.zip", inner / "s1")
    assert tree(tmp_path) == ["inner/s1.zip"]


@pytest.mark.parametrize("damage", ["cut off", "one byte", "no archive"])
def test_a_damaged_archive_is_deleted(tmp_path, damage):
    content = bytearray(zipped({"s1/a.mpg": os.urandom(1000)}))
    content[500] ^= 255
    kinds = {"cut off": content[:700], "one byte": content, "no archive": b"<html>"}
    (tmp_path / "s1.zip").write_bytes(kinds[damage])
    with pytest.raises(TalkerError, match=r"s1\.zip is damaged and was deleted"):
        unpack(tmp_path / "s1.zip", tmp_path / "s1")
    assert list(tmp_path.iterdir()) == []


# ---- GRID


@pytest.fixture(scope="module")
def archives(tmp_path_factory) -> dict[str, bytes]:
    """s1.zip, s2.zip and alignments.zip as Zenodo has them, of two clips."""
    folder = tmp_path_factory.mktemp("archives")
    clip = write_clip(folder / "clip.mpg").read_bytes()
    times = align(folder / "a.align", "bin blue at f two now").read_bytes()
    return {
        "s1.zip": zipped({"s1/bbaf2n.mpg": clip}),
        "s2.zip": zipped({"s2/bbaf2n.mpg": clip}),
        "alignments.zip": zipped(
            {f"alignments/s{number}/bbaf2n.align": times for number in range(1, 35)}
        ),
    }


@pytest.fixture
def record(server, archives) -> str:
    """The address of a record like Zenodo's on the loopback server."""
    listed = []
    for name, content in archives.items():
        server.files[f"/api/files/{name}/content"] = content
        listed.append(
            {
                "key": name,
                "size": len(content),
                "checksum": f"md5:{md5(content)}",
                "links": {"self": f"{server.url}/api/files/{name}/content"},
            }
        )
    server.files["/api/record"] = json.dumps({"files": listed}).encode()
    return f"{server.url}/api/record"


def test_grid_is_fetched_over_a_connection_that_drops(tmp_path, server, record):
    server.drop_after = [10_000_000, 2000, 5000]  # the record, the alignments, then a video
    fetch_grid(tmp_path / "grid", [2, 1, 2], record=record, **QUICK)
    clips = grid.clips(tmp_path / "grid")
    assert [clip.name for clip in clips] == ["s1/bbaf2n", "s2/bbaf2n"]
    assert all(len(clip.words) == 6 for clip in clips)
    assert sorted(p.name for p in (tmp_path / "grid").iterdir()) == ["alignments", "s1", "s2"]
    assert sum(asked is not None for _, asked in server.requests) == 2


def test_grid_again_asks_for_nothing_that_is_there(tmp_path, server, record):
    fetch_grid(tmp_path, [1], record=record, **QUICK)
    server.requests.clear()
    fetch_grid(tmp_path, [1], record=record, **QUICK)
    assert server.requests == []
    fetch_grid(tmp_path, [1, 2], record=record, **QUICK)
    assert [path for path, _ in server.requests] == ["/api/record", "/api/files/s2.zip/content"]


def test_grid_killed_before_and_during_unpacking(tmp_path, server, record, archives):
    (tmp_path / "s1.zip").write_bytes(archives["s1.zip"])
    (tmp_path / ".s1.unpacking" / "half").mkdir(parents=True)
    fetch_grid(tmp_path, [1], record=record, **QUICK)
    assert not any("s1.zip" in path for path, _ in server.requests)
    assert tree(tmp_path / "s1") == ["bbaf2n.mpg"]
    assert not (tmp_path / ".s1.unpacking").exists()


def test_grid_a_damaged_archive_at_the_server(tmp_path, server, record):
    server.files["/api/files/s1.zip/content"] = b"<html>maintenance</html>"
    with pytest.raises(TalkerError, match=r"s1\.zip/content arrived damaged"):
        fetch_grid(tmp_path, [1], record=record, **QUICK)
    assert [p.name for p in tmp_path.iterdir()] == ["alignments"]


@pytest.mark.parametrize("sums", [True, False])
def test_grid_from_a_mirror(tmp_path, server, archives, sums, capsys):
    for name, content in archives.items():
        server.files[f"/copy/{name}"] = content
    if sums:
        lines = [f"{md5(content)}  {name}\n" for name, content in archives.items()]
        server.files["/copy/md5sums.txt"] = "".join(lines).encode()
    line = ["fetch", "grid", "-o", str(tmp_path / "grid"), "--speakers", "1", "2"]
    assert cli.main([*line, "--mirror", f"{server.url}/copy/"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{tmp_path / 'grid'}: 2 clips, 2 speakers, about 0.0 minutes"
    assert len(grid.clips(tmp_path / "grid")) == 2


def test_grid_a_mirror_with_other_checksums(tmp_path, server, archives):
    for name, content in archives.items():
        server.files[f"/copy/{name}"] = content
    server.files["/copy/md5sums.txt"] = f"{md5(b'')} *alignments.zip\n".encode()
    with pytest.raises(TalkerError, match=r"alignments\.zip arrived damaged"):
        fetch_grid(tmp_path, [1], mirror=f"{server.url}/copy", **QUICK)


@pytest.mark.parametrize("number", [0, 21, 35])
def test_grid_has_no_such_speaker(tmp_path, number):
    with pytest.raises(TalkerError, match=f"no videos of a speaker {number}"):
        fetch_grid(tmp_path / "grid", [1, number])
    assert not (tmp_path / "grid").exists()


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"files": []}', None])
def test_grid_a_record_that_is_none(tmp_path, server, answer):
    if answer is not None:
        server.files["/api/record"] = answer
    with pytest.raises(TalkerError, match="/api/record does not list GRID's files"):
        fetch_grid(tmp_path, [1], record=f"{server.url}/api/record")


def test_grid_without_a_network(tmp_path, server):
    server.files["/api/record"] = b"{" * 1000
    server.drop_after = [500]
    with pytest.raises(TalkerError, match="cannot be reached .*500 bytes read.*check the network"):
        fetch_grid(tmp_path, [1], record=f"{server.url}/api/record")
    server.failures = [(403, {})]
    with pytest.raises(TalkerError, match="is refused .403"):
        fetch_grid(tmp_path, [1], record=f"{server.url}/api/record")
    server.shutdown()
    server.server_close()
    with pytest.raises(TalkerError, match="cannot be reached .*check the network"):
        fetch_grid(tmp_path, [1], record=f"{server.url}/api/record")
    with pytest.raises(TalkerError, match="cannot be reached .*check the network"):
        fetch_grid(tmp_path, [1], mirror="grid.example")


def test_grid_a_disk_that_is_too_small(tmp_path, record, monkeypatch):
    usage = fetch.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(TalkerError, match="has room for 0.0 GB but .* are needed"):
        fetch_grid(tmp_path, [1], record=record)
