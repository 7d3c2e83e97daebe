"""PyPI python-socketio: the rows of ../FIXTURE.md, "The table".

    table.py asyncio|threaded URL BREAKABLE_URL ROW...
"""

import asyncio
import json
import os
import re
import sys
import traceback
from importlib.metadata import version

from socketio import exceptions

from peer import Peer

# How long a row may take before it fails. Nothing waits for this time to pass.
DEADLINE_S = 30

KIND, URL, BREAKABLE, *WANTED = sys.argv[1:]
ROWS = {}
PEERS = []


def row(name):
    return lambda function: ROWS.setdefault(name, function)


def peer(**options):
    PEERS.append(Peer(threaded=KIND == "threaded", **options))
    return PEERS[-1]


async def connect(url=URL, **options):
    return await peer().connect(url, **options)


def say(**line):
    print(json.dumps(line), flush=True)


def same(seen, expected):
    if seen != expected:
        raise AssertionError(f"{seen!r} instead of {expected!r}")


async def still_serves(one, namespace="/"):
    same(await one.ask("echo", "still here", namespace=namespace), "still here")


@row("connect")
async def _():
    one = await connect()
    same(len(one.sid()) >= 16, True)
    await still_serves(one)


@row("own id")
async def _():
    ann, bob = await connect(namespaces=("/", "/side")), await connect()
    await ann.emit("shout", {"text": "hello"})
    same((await bob.next("shouted"))[0]["from"], ann.sid())
    await ann.emit("shout", {"text": "beside"}, namespace="/side")
    same((await ann.next("shouted", "/side"))[0]["from"], ann.sid("/side"))
    same(await ann.ask("rooms"), [ann.sid()])
    await bob.emit("tell", {"room": ann.sid(), "text": "only you"})
    same((await ann.next("told"))[0]["text"], "only you")


@row("auth refused")
async def _():
    one = peer()
    try:
        await one.connect(URL, token="guess")
    except exceptions.ConnectionError:
        pass
    else:
        raise AssertionError("a wrong token was accepted")
    same(await one.next("connect_error"), ({"message": "invalid token", "data": {"code": 401}},))
    await connect()


@row("events")
async def _():
    ann, bob = await connect(), await connect()
    await ann.emit("nobody_listens", {"a": 1})
    await ann.emit("shout", {"text": "hello"})
    for one in (ann, bob):
        same((await one.next("shouted"))[0]["text"], "hello")


@row("ack by server")
async def _():
    one = await connect()
    numbers = list(range(100))
    same(await asyncio.gather(*(one.ask("echo", n) for n in numbers)), numbers)
    same(await one.ask("strict", {"n": 41}), {"ok": True, "value": {"n": 42}})


@row("ack by client")
async def _():
    one = await connect()
    await one.emit("ask_me")
    same(await one.next("answered"), ({"n": 40},))


@row("ack timeout in client")
async def _():
    one = await connect()
    try:
        await one.ask("nobody_listens", 1, timeout=0.05)
    except exceptions.TimeoutError:
        await still_serves(one)
    else:
        raise AssertionError("somebody answered")


@row("binary")
async def _():
    one = await connect()
    every_byte = bytes(range(256))
    await one.emit("mirror", every_byte)
    same(await one.next("mirrored"), (every_byte[::-1],))


@row("binary nested")
async def _():
    one = await connect()
    sent = {"label": "three", "parts": [b"", b"\x01\x02", b"\x07" * 50_000]}
    await one.emit("send_binary", sent)
    same(await one.next("blob"), (sent,))
    answer = await one.ask("binary", {"label": "acked", "blob": b"\x01\x02\x03"})
    same(answer, {"label": "acked", "blob": b"\x03\x02\x01"})


@row("namespaces")
async def _():
    one = await connect(namespaces=("/", "/side"))
    await one.emit("shout", {"text": "in main"})
    await one.emit("shout", {"text": "beside"}, namespace="/side")
    await still_serves(one)
    await still_serves(one, namespace="/side")
    same([message["text"] for message in one.heard("shouted")], ["in main"])
    same([message["text"] for message in one.heard("shouted", "/side")], ["beside"])

    lost = peer()
    try:
        await lost.connect(URL, namespaces=("/", "/nowhere"))
    except exceptions.ConnectionError:
        pass
    else:
        raise AssertionError("an unknown namespace was opened")
    refused = (await lost.next("connect_error", "/nowhere"))[0]
    same(refused["message"], "Invalid namespace")


@row("rooms")
async def _():
    peers = [await connect(), await connect(), await connect()]
    ann, bob, eve = peers
    for one in peers:
        same(await one.ask("join", "blue"), True)
    same(await eve.ask("join", "red"), True)
    same(await eve.ask("rooms"), sorted([eve.sid(), "blue", "red"]))

    async def told_until_now():
        """What each has been told when a shout has reached all of them, which nothing overtakes."""
        await ann.emit("shout", {"text": "end"})
        for one in peers:
            await one.next("shouted")
        return [[told["text"] for told in one.heard("told")] for one in peers]

    await ann.emit("tell", {"room": "blue", "text": "to"})
    await ann.emit("tell_except", {"room": "blue", "except": "red", "text": "except"})
    same(await told_until_now(), [[], ["to", "except"], ["to"]])

    same(await bob.ask("leave", "blue"), True)
    await ann.emit("tell", {"room": "blue", "text": "left"})
    same(await told_until_now(), [[], [], ["left"]])


async def over(*transports):
    one = await connect(transports=list(transports))
    await still_serves(one)
    await one.emit("mirror", b"\x01\x02\x03")
    same(await one.next("mirrored"), (b"\x03\x02\x01",))
    same(one.transport(), transports[-1])


@row("upgrade")
async def _():
    # This client has changed before it connects to a namespace.
    await over("polling", "websocket")


@row("polling only")
async def _():
    await over("polling")


@row("websocket only")
async def _():
    await over("websocket")


async def comes_back(url, request):
    one = await connect(url)
    before = one.sid()
    await one.next("connect")
    say(request=request)
    await one.next("disconnect")
    await one.next("connect")
    same(one.sid() != before, True)
    await still_serves(one)


@row("reconnect")
async def _():
    await comes_back(BREAKABLE, "cut")


@row("restart")
async def _():
    await comes_back(URL, "restart")


@row("ack timeout in server")
async def _():
    # A handler of this client can't keep silent: it acknowledges when it returns. This one returns too late.
    one = peer()
    answered = asyncio.Event()

    async def late(*_):
        await answered.wait()

    def late_in_a_thread(*_):
        asyncio.run_coroutine_threadsafe(answered.wait(), one.loop).result()

    one.client.on("silence", late_in_a_thread if KIND == "threaded" else late)
    await one.connect(URL)
    same(await one.ask("ask_in_vain"), "timed out")
    answered.set()
    await still_serves(one)


@row("message size")
async def _():
    large = await peer(reconnection=False).connect(URL)
    other = await connect()
    passes = "x" * 900_000
    same(await large.ask("echo", passes), passes)
    await large.emit("echo", "x" * 1_100_000)
    await large.next("disconnect")
    await still_serves(other)


@row("unicode")
async def _():
    one = await connect()
    for text in (
        "𝄞 👩‍👩‍👧‍👦 𐀀 \U0010ffff",
        "e\u0301 n\u0303 한",
        "a\u2028b\u2029c",
        "\x00 \u202e \ufeff \uffff é 漢字",
    ):
        same(await one.ask("echo", text), text)


@row("lone surrogates")
async def _():
    def replaced(text):
        return re.sub("[\ud800-\udfff]", "\ufffd", text)

    one = await connect()
    for text in ("a\ud800b", "\udc00 first", "last \udbff", "\ude00\ud83d swapped", "𝄞\ud834𝄞"):
        same(replaced(await one.ask("echo", text)), replaced(text))


async def main():
    say(client=f"python-socketio {KIND}", version=version("python-socketio"))
    for name in WANTED:
        try:
            await asyncio.wait_for(ROWS[name](), DEADLINE_S)
            say(row=name, **{"pass": True})
        except Exception:
            # It may quote what a row has sent, and half a character is no JSON to everybody.
            why = traceback.format_exc(limit=-2).encode(errors="replace").decode()
            say(row=name, why=why, **{"pass": False})
        while PEERS:
            await PEERS.pop().disconnect()


asyncio.run(main())
# Threads of the threaded client that still wait for something are not waited for.
os._exit(0)
