// node-smpp as a client: `node esme.js PORT SYSTEM_ID PASSWORD`. It binds, submits, asks, waits for what comes back,
// unbinds, and says in one JSON line what it saw.
"use strict";

const smpp = require("smpp");

const [port, system_id, password] = process.argv.slice(2);
const seen = { answers: {}, receipts: [], replies: [] };
const SUBMITS = {
  gsm: { destination_addr: "819000000001", short_message: "Hello {you} €" },
  ucs2: { destination_addr: "819000000002", short_message: "届け" },
  part1: { destination_addr: "819000000003", short_message: { udh: Buffer.from("0500034d0201", "hex"), message: "one " } },
  part2: { destination_addr: "819000000003", short_message: { udh: Buffer.from("0500034d0202", "hex"), message: "two" } },
  payload: { destination_addr: "819000000004", message_payload: "p".repeat(400) },
};

const session = smpp.connect({ host: "127.0.0.1", port: Number(port) });
const ask = (command, options) => new Promise((resolve) => session[command](options, resolve));

session.on("error", (error) => {
  process.stdout.write(JSON.stringify({ error: String(error) }) + "\n");
  process.exit(1);
});

let enough;
const all = new Promise((resolve) => (enough = resolve));
session.on("deliver_sm", (pdu) => {
  const text = pdu.short_message.message;
  session.send(pdu.response());
  seen.receipts.push({
    from: pdu.source_addr,
    to: pdu.destination_addr,
    esm_class: pdu.esm_class,
    text,
    id: pdu.receipted_message_id === undefined ? null : pdu.receipted_message_id,
  });
  if (seen.receipts.length === Object.keys(SUBMITS).length) enough();
});

session.on("connect", async () => {
  const bind = await ask("bind_transceiver", { system_id, password });
  seen.bind = bind.command_status;
  if (bind.command_status === 0) {
    const common = { source_addr: "12025550100", registered_delivery: 1 };
    await Promise.all(
      Object.entries(SUBMITS).map(async ([name, options]) => {
        const answer = await ask("submit_sm", { ...common, ...options });
        seen.answers[name] = { status: answer.command_status, id: answer.message_id };
      }),
    );
    await all;
    seen.enquire_link = (await ask("enquire_link", {})).command_status;
    const query = await ask("query_sm", { message_id: seen.answers.gsm.id, source_addr: "12025550100" });
    seen.query = { status: query.command_status, state: query.message_state };
    seen.unbind = (await ask("unbind", {})).command_status;
  }
  process.stdout.write(JSON.stringify(seen) + "\n");
  session.close();
});
