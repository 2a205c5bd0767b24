// An SMSC for the tests, on the npm package `smpp` (an implementation of the protocol that is not ours).
// It prints what happens and takes orders, one JSON object a line; tests/peers/smsc.py speaks to it.
'use strict';

const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const tls = process.argv[3] ? { key: fs.readFileSync(process.argv[3] + '.key'), cert: fs.readFileSync(process.argv[3] + '.pem') } : {};
const sessions = new Set();
const behaviours = {}; // destination -> {status, silent, receipt, early}
let refuseBind = 0;
let mute = false;
let ids = 0;
let hexIds = false;

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');

function bind(session, pdu) {
  const status = refuseBind || (pdu.password === 'secret' && pdu.system_id === 'causerie' ? 0 : smpp.ESME_RBINDFAIL);
  session.send(pdu.response({ command_status: status, system_id: 'SMSC' }));
  session.isBound = status === 0;
  say({ event: status ? 'bind refused' : 'bound', version: pdu.interface_version, system_type: pdu.system_type });
}

function submit(session, pdu) {
  const message = pdu.short_message;
  const behaviour = behaviours[pdu.destination_addr] || {};
  say({
    event: 'submit', to: pdu.destination_addr, ton: pdu.dest_addr_ton, npi: pdu.dest_addr_npi, from: pdu.source_addr,
    source_ton: pdu.source_addr_ton, source_npi: pdu.source_addr_npi, coding: pdu.data_coding, esm: pdu.esm_class,
    registered: pdu.registered_delivery, text: message.message.toString(),
    udh: message.udh ? message.udh.map((element) => element.toString('hex')) : [],
  });
  if (behaviour.silent) return;
  const status = Array.isArray(behaviour.status) ? behaviour.status.shift() : behaviour.status;
  if (status) return session.send(pdu.response({ command_status: status }));
  ids += 1;
  const id = hexIds ? (ids + 0xa0).toString(16) : String(ids);
  const told = hexIds ? String(ids + 0xa0).padStart(10, '0') : id;
  const answer = () => session.send(pdu.response({ message_id: id }));
  if (behaviour.early) {
    receipt(session, pdu, told, behaviour.early);
    setTimeout(answer, 50);
  } else {
    answer();
    if (behaviour.receipt) receipt(session, pdu, told, behaviour.receipt);
  }
}

function receipt(session, pdu, id, state) {
  const error = state === 'DELIVRD' ? '000' : '012';
  const text = `id:${id} sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:${state} err:${error} text:stat:REJECTD`;
  deliver(session, { tag: 'receipt', source: pdu.destination_addr, destination: pdu.source_addr, text, coding: 0, esm: 4 });
}

function deliver(session, order) {
  const short = order.octets !== undefined ? Buffer.from(order.octets, 'hex') : order.text;
  const fields = {
    source_addr: order.source, source_addr_ton: order.ton === undefined ? 1 : order.ton, source_addr_npi: 1,
    destination_addr: order.destination || '36180', esm_class: order.esm || 0, data_coding: order.coding || 0,
    short_message: short,
  };
  const pdu = new smpp.PDU('deliver_sm', Object.assign(fields, order.tlvs || {}));
  session.send(pdu, (answer) => say({ event: 'answer', tag: order.tag, status: answer.command_status }));
}

const server = smpp.createServer(tls, (session) => {
  sessions.add(session);
  session.on('error', () => {});
  session.on('close', () => { sessions.delete(session); say({ event: 'closed', bound: !!session.isBound }); });
  session.on('bind_transceiver', (pdu) => bind(session, pdu));
  session.on('enquire_link', (pdu) => { say({ event: 'enquire' }); if (!mute) session.send(pdu.response()); });
  session.on('enquire_link_resp', () => say({ event: 'enquire answered' }));
  session.on('generic_nack', (pdu) => say({ event: 'nack', status: pdu.command_status }));
  session.on('unbind', (pdu) => { say({ event: 'unbind' }); session.send(pdu.response()); session.close(); });
  session.on('unbind_resp', () => session.close());
  session.on('submit_sm', (pdu) => { if (mute) say({ event: 'muted' }); else submit(session, pdu); });
});

const orders = {
  behave: (order) => { behaviours[order.to] = order; },
  'refuse bind': (order) => { refuseBind = order.status; },
  mute: (order) => { mute = order.on; },
  'hex ids': () => { hexIds = true; },
  deliver: (order) => { for (const session of sessions) if (session.isBound) { deliver(session, order); break; } },
  raw: (order) => { for (const session of sessions) session.socket.write(Buffer.from(order.hex, 'hex')); },
  enquire: () => { for (const session of sessions) session.enquire_link(); },
  unbind: () => { for (const session of sessions) session.unbind(); },
  drop: () => { for (const session of sessions) session.destroy(); },
};

readline.createInterface({ input: process.stdin })
  .on('line', (line) => { const order = JSON.parse(line); orders[order.do](order); say({ event: 'done', number: order.number }); })
  .on('close', () => process.exit(0)); // the test that started us is gone

server.listen(Number(process.argv[2]) || 0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));
