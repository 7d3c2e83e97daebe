"""One connection of python-socketio, by its asyncio client or by its threaded one: the same coroutines for both."""

import asyncio
from collections import defaultdict

import socketio


class Peer:
    """Everything that arrives waits in a queue for each event, so that nothing is missed before it is asked for."""

    def __init__(self, threaded, **options):
        make = socketio.Client if threaded else socketio.AsyncClient
        self.client = make(reconnection_delay=0.01, randomization_factor=0, **options)
        self._threaded = threaded
        self.loop = asyncio.get_running_loop()
        self._heard = defaultdict(asyncio.Queue)

    async def connect(self, url, token="secret", namespaces=("/",), transports=None):
        for namespace in namespaces:
            for event in ("connect", "disconnect", "connect_error", "question", "*"):
                self.client.on(event, self._listener(namespace, event), namespace=namespace)
        await self._do("connect", url, auth={"token": token}, namespaces=list(namespaces), transports=transports)
        return self

    def sid(self, namespace="/"):
        return self.client.get_sid(namespace)

    def transport(self):
        return self.client.transport()

    async def emit(self, event, *args, namespace="/"):
        await self._do("emit", event, args, namespace=namespace)

    async def ask(self, event, *args, namespace="/", timeout=20):
        return await self._do("call", event, args, namespace=namespace, timeout=timeout)

    async def next(self, event, namespace="/"):
        """The arguments of the next such event."""
        return await self._heard[namespace, event].get()

    def heard(self, event, namespace="/"):
        """The first argument of every such event that has come and that nobody has asked for."""
        queue = self._heard[namespace, event]
        return [queue.get_nowait()[0] for _ in range(queue.qsize())]

    async def disconnect(self):
        await self._do("disconnect")

    async def _do(self, method, *args, **options):
        method = getattr(self.client, method)
        if self._threaded:
            return await asyncio.to_thread(method, *args, **options)
        return await method(*args, **options)

    def _listener(self, namespace, event):
        def listen(*args):
            name = event
            if event == "*":
                name, *args = args
            queue = self._heard[namespace, name]
            # The threaded client calls from a thread of its own.
            self.loop.call_soon_threadsafe(queue.put_nowait, tuple(args))
            # What a handler returns is its acknowledgement.
            return args[0]["n"] * 2 if event == "question" else None

        return listen
