// Print a stage's events, from Node.js with amqplib.
//
// NKK_TOOL_URI=amqps://… NKK_TOOL_CA=authority.pem node with_amqplib.mjs triage [2026-11-01T00:00:00Z | first]

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import amqp from 'amqplib'

const { NKK_TOOL_URI: uri, NKK_TOOL_CA: ca } = process.env
const [stage, since] = process.argv.slice(2)
const user = decodeURIComponent(new URL(uri).username)
const queue = `${user}.${stage}`

const connection = await amqp.connect(uri, ca ? { ca: [readFileSync(ca)] } : {})
const channel = await connection.createConfirmChannel()
await channel.prefetch(50)

// The messages of a queue, which `nkk tools add` made: a tool declares nothing.
async function* messages(queue) {
  const arrived = []
  const waiting = new EventTarget()
  const { consumerTag } = await channel.consume(queue, (message) => {
    if (message === null) connection.emit('error', new Error(`the queue ${queue} was deleted`))
    arrived.push(message)
    waiting.dispatchEvent(new Event('arrived'))
  })
  try {
    for (;;) {
      if (!arrived.length) await once(waiting, 'arrived')
      yield arrived.shift()
    }
  } finally {
    await channel.cancel(consumerTag)
  }
}

// Asks the stage for its events since a moment, or for all where it is null; returns the request's id.
async function request(since) {
  const id = randomUUID()
  const name = `${stage}.replay-requests`
  await channel.purgeQueue(`${queue}.replay`)
  channel.once('return', () => { throw new Error(`${stage} takes no requests for past events`) })
  // The broker compares userId with the connection's own.
  const properties = { messageId: id, userId: user, persistent: true, mandatory: true, contentType: 'application/json' }
  channel.publish(name, name, Buffer.from(JSON.stringify({ since })), properties)
  await channel.waitForConfirms()
  return id
}

function handle(event) {
  console.log(event.id, event.type, event.subject)
}

const seen = new Set()
if (since) {
  const id = await request(since === 'first' ? null : since)
  for await (const message of messages(`${queue}.replay`)) {
    const { headers, type } = message.properties
    if (headers['x-nkk-replay'] === id) { // what belongs to an earlier request is passed over
      if (type === 'replay.refused') throw new Error(JSON.parse(message.content).reason)
      if (type === 'replay.ended') {
        channel.ack(message)
        break
      }
      const event = JSON.parse(message.content)
      if (!seen.has(event.id)) handle(event)
      seen.add(event.id)
    }
    channel.ack(message)
  }
}

for await (const message of messages(queue)) {
  const event = JSON.parse(message.content)
  if (!seen.delete(event.id)) handle(event) // else it came with the replay
  channel.ack(message) // once it is dealt with; it comes again otherwise
}
