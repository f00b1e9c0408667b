"""Calls tools of a server over stdio with the official client library, and prints what came back as JSON.

Arguments: the version of the library (1 or 2), how to connect (auto, legacy or a version), a JSON list of [tool, arguments],
then the server's command line. Not here: what is right.
"""

import asyncio
import json
import os
import sys


def said(result):
    of = lambda *names: next((getattr(result, name) for name in names if hasattr(result, name)), None)
    return {
        "is_error": bool(of("is_error", "isError")),
        "structured": of("structured_content", "structuredContent"),
        "text": "".join(part.text for part in result.content),
    }


def schema_of(tool):
    return getattr(tool, "input_schema", None) or getattr(tool, "inputSchema", None)


async def first(server, calls):
    from mcp import ClientSession
    from mcp.client.stdio import stdio_client
    from mcp.types import Implementation

    about = Implementation(name="peer", version="1")
    async with stdio_client(server) as (read, write), ClientSession(read, write, client_info=about) as session:
        begun = await session.initialize()
        await session.send_ping()
        tools = (await session.list_tools()).tools
        results = [said(await session.call_tool(name, arguments)) for name, arguments in calls]
        return begun.protocolVersion, tools, results


async def second(server, calls, mode):
    from mcp.client import Client
    from mcp.types import Implementation

    about = Implementation(name="peer", version="1")
    async with Client(server, mode=mode, client_info=about) as client:
        tools = (await client.list_tools()).tools
        results = [said(await client.call_tool(name, arguments)) for name, arguments in calls]
        return client.protocol_version, tools, results


async def main():
    library, mode, calls, *command = sys.argv[1:]
    from mcp import StdioServerParameters

    server = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    calls = json.loads(calls)
    work = first(server, calls) if library == "1" else second(server, calls, mode)
    version, tools, results = await work
    listed = [{"name": tool.name, "schema": schema_of(tool)} for tool in tools]
    print(json.dumps({"version": version, "tools": listed, "results": results}))


asyncio.run(main())
