// Socket.IO on Node with ws.    node server.js --port 3000 [--parser msgpack] [--recovery] [--adapter sharded --engine URL]
const http = require('node:http');
const { parseArgs } = require('node:util');
const { Server } = require('socket.io');

const options = {
  port: { type: 'string' },
  parser: { type: 'string' },
  recovery: { type: 'boolean' },
  adapter: { type: 'string', default: 'memory' },
  engine: { type: 'string' },
};
const { port, parser, recovery, adapter, engine } = parseArgs({ options }).values;
const server = http.createServer();
const io = new Server(server, {
  serveClient: false,
  perMessageDeflate: false,
  ...(parser === 'msgpack' && { parser: require('socket.io-msgpack-parser') }),
  ...(recovery && { connectionStateRecovery: {} }),
});

// The small room that an event goes to, as the load generator has it.
const seat = (seq) => `seat:${(Math.imul(seq, 2654435761) >>> 0) % 10000}`;

// The same clock as the load generator's: CLOCK_MONOTONIC in nanoseconds.
const now = () => process.hrtime.bigint();

// To whom paced events go.
const emit = {
  room: (seq, payload) => io.to('bench').emit('msg', seq, payload),
  all: (seq, payload) => io.emit('msg', seq, payload),
  except: (seq, payload) => io.to('bench').except('muted').emit('msg', seq, payload),
  seats: (seq, payload) => io.to(seat(seq)).emit('msg', seq, payload),
  binary: (seq, payload) => io.to('bench').emit('bin', seq, Buffer.from(payload)),
};

io.on('connection', (socket) => {
  socket.on('join', (ack) => {
    socket.join('bench');
    ack('ok');
  });
  socket.on('mute', (ack) => {
    socket.join(['bench', 'muted']);
    ack('ok');
  });
  socket.on('sit', (rooms, ack) => {
    socket.join(rooms.map((room) => `seat:${room}`));
    ack('ok');
  });
  socket.on('hop', (ack) => {
    socket.join('bench');
    socket.leave('bench');
    ack('ok');
  });
  socket.on('echo', (text, ack) => ack(text));
  socket.on('blast', (events, bytes) => {
    const payload = 'x'.repeat(bytes);
    for (let seq = 0; seq < events; seq++) io.to('bench').emit('msg', seq, payload);
  });
  socket.on('pace', (rate, bytes, secs, to) => {
    const pad = 'x'.repeat(Math.max(0, bytes - 20));
    const began = Number(now());
    const total = rate * secs;
    const due = (seq) => began + (seq * 1e9) / rate;
    let seq = 0;
    const tick = () => {
      while (seq < total && Number(now()) >= due(seq)) {
        emit[to](seq++, now().toString().padStart(20, '0') + pad);
      }
      if (seq < total) setTimeout(tick, Math.max(0, (due(seq) - Number(now())) / 1e6));
    };
    tick();
  });
});

// How it is joined to other servers.
const join = {
  memory: async () => {},
  classic: async () => io.adapter(require('@socket.io/redis-adapter').createAdapter(await redis(), await redis())),
  sharded: async () => io.adapter(require('@socket.io/redis-adapter').createShardedAdapter(await redis(), await redis())),
  streams: async () => io.adapter(require('@socket.io/redis-streams-adapter').createAdapter(await redis())),
};
const redis = () => require('redis').createClient({ url: engine }).connect();

// The backlog of the other servers.
join[adapter]().then(() => server.listen(Number(port), '127.0.0.1', 4096));
