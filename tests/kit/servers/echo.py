"""Python's `websockets`: every message comes back, pings are answered; GET /count tells it all."""

import asyncio
import collections
import http
import json

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

counts = {"opened": 0, "messages": 0, "pings": 0, "closed": collections.Counter()}


class Counting(ServerConnection):
    """Counts the pings that the library answers by itself."""

    def process_event(self, event):
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            counts["pings"] += 1
        super().process_event(event)


def tell(connection, request):
    """Answers what is no upgrade."""
    if request.path == "/count":
        return connection.respond(http.HTTPStatus.OK, json.dumps(counts))
    return None


async def echo(connection):
    """One connection, until its close."""
    counts["opened"] += 1
    try:
        async for message in connection:
            counts["messages"] += 1
            await connection.send(message)
    except ConnectionClosed:
        pass  # counted below
    finally:
        await connection.wait_closed()
        counts["closed"][connection.close_code] += 1


async def main():
    """Serves until it is killed."""
    options = {"process_request": tell, "create_connection": Counting, "ping_interval": None}
    async with serve(echo, "127.0.0.1", 0, backlog=4096, compression=None, **options) as server:
        print("port", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
