// node-smpp as an SMSC. It says its port and then what it got, one JSON line each:
// {"port": n}, {"bind": ...}, {"submit": ...}, {"receipt_answer": status}, {"enquire_link": true}, {"unbind": true}.
"use strict";

const smpp = require("smpp");

const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
let messages = 0;

function receipt(session, submit, id) {
  session.deliver_sm(
    {
      source_addr: submit.destination_addr,
      destination_addr: submit.source_addr,
      esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
      short_message:
        `id:${id} sub:001 dlvrd:001 submit date:2511220935 done date:2511220936 stat:DELIVRD err:000 text:-`,
      receipted_message_id: id,
      message_state: smpp.MESSAGE_STATE.DELIVERED,
    },
    (answer) => say({ receipt_answer: answer.command_status }),
  );
}

function bound(session) {
  session.on("submit_sm", (pdu) => {
    const { message, udh } = pdu.short_message;
    say({
      submit: {
        source: pdu.source_addr,
        source_ton: pdu.source_addr_ton,
        destination: pdu.destination_addr,
        esm_class: pdu.esm_class,
        data_coding: pdu.data_coding,
        registered_delivery: pdu.registered_delivery,
        validity_period: pdu.validity_period ? "given" : "",
        message,
        udh: udh ? Buffer.concat(udh).toString("hex") : null,
        reference: pdu.user_message_reference === undefined ? null : pdu.user_message_reference,
        payload: pdu.message_payload ? pdu.message_payload.message : null,
      },
    });
    if (pdu.destination_addr === "81900000058") {
      session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      return;
    }
    messages += 1;
    const id = `NODE-${messages.toString(16)}`;
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery) receipt(session, pdu, id);
  });
  session.on("query_sm", (pdu) => {
    session.send(pdu.response({ message_id: pdu.message_id, message_state: 2, final_date: "", error_code: 0 }));
  });
}

const server = smpp.createServer((session) => {
  const bind = (pdu) => {
    say({ bind: { command: pdu.command, system_id: pdu.system_id, version: pdu.interface_version } });
    if (pdu.password !== "secret") {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      return;
    }
    session.send(pdu.response({ system_id: "node-smpp" }));
    if (pdu.command !== "bind_receiver") bound(session);
    if (pdu.command !== "bind_transmitter") {
      session.deliver_sm({ source_addr: "8190", destination_addr: "Todoke", short_message: "届いた" }, () => {});
    }
  };
  for (const command of ["bind_transceiver", "bind_transmitter", "bind_receiver"]) session.on(command, bind);
  session.on("enquire_link", (pdu) => {
    say({ enquire_link: true });
    session.send(pdu.response());
  });
  session.on("unbind", (pdu) => {
    say({ unbind: true });
    session.send(pdu.response());
    session.close();
  });
  session.on("error", (error) => say({ error: String(error) }));
});

server.listen(0, "127.0.0.1", () => say({ port: server.address().port }));
