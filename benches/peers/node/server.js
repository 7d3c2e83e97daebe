// Socket.IO on Node with ws.    node server.js --port 3000
const http = require('node:http');
const { parseArgs } = require('node:util');
const { Server } = require('socket.io');

const { port } = parseArgs({ options: { port: { type: 'string' } } }).values;
const server = http.createServer();
const io = new Server(server, { transports: ['websocket'], serveClient: false, perMessageDeflate: false });

// The same clock as the load generator's: CLOCK_MONOTONIC in nanoseconds.
const now = () => process.hrtime.bigint();

io.on('connection', (socket) => {
  socket.on('join', (ack) => {
    socket.join('bench');
    ack('ok');
  });
  socket.on('echo', (text, ack) => ack(text));
  socket.on('blast', (events, bytes) => {
    const payload = 'x'.repeat(bytes);
    for (let seq = 0; seq < events; seq++) io.to('bench').emit('msg', seq, payload);
  });
  socket.on('pace', (rate, bytes, secs) => {
    const pad = 'x'.repeat(Math.max(0, bytes - 20));
    const began = Number(now());
    const total = rate * secs;
    const due = (seq) => began + (seq * 1e9) / rate;
    let seq = 0;
    const tick = () => {
      while (seq < total && Number(now()) >= due(seq)) {
        io.to('bench').emit('msg', seq++, now().toString().padStart(20, '0') + pad);
      }
      if (seq < total) setTimeout(tick, Math.max(0, (due(seq) - Number(now())) / 1e6));
    };
    tick();
  });
});

// The backlog of the other servers.
server.listen(Number(port), '127.0.0.1', 4096);
