// Calls tools of a server over stdio with the official client library, and prints what came back as JSON.
//
// Arguments: the package (sdk or client), how to connect (auto, legacy or a version), a JSON list of [tool, arguments], then
// the server's command line. Not here: what is right.

const [library, mode, calls, command, ...args] = process.argv.slice(2);

async function connected() {
    const about = { name: 'peer', version: '1' };
    const server = { command, args, env: process.env, stderr: 'inherit' };
    if (library === 'sdk') {
        const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
        const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
        const transport = new StdioClientTransport(server);
        let version;
        transport.setProtocolVersion = spoken => (version = spoken);
        const client = new Client(about, { capabilities: {} });
        await client.connect(transport);
        await client.ping();
        return [client, () => version];
    }
    const { Client } = await import('@modelcontextprotocol/client');
    const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
    const how = ['auto', 'legacy'].includes(mode) ? mode : { pin: mode };
    const client = new Client(about, { versionNegotiation: { mode: how } });
    await client.connect(new StdioClientTransport(server));
    return [client, () => client.getNegotiatedProtocolVersion()];
}

const [client, version] = await connected();
const { tools } = await client.listTools();
const results = [];
for (const [name, given] of JSON.parse(calls)) {
    const result = await client.callTool({ name, arguments: given });
    results.push({
        is_error: result.isError ?? false,
        structured: result.structuredContent,
        text: result.content.map(part => part.text).join(''),
    });
}
const negotiated = version();
await client.close();
const listed = tools.map(tool => ({ name: tool.name, schema: tool.inputSchema }));
console.log(JSON.stringify({ version: negotiated, tools: listed, results }));
