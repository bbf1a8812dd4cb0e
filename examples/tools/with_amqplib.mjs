// Print a stage's events, from Node.js with amqplib.
//
// NKK_TOOL_URI=amqps://… NKK_TOOL_CA=authority.pem node with_amqplib.mjs triage [2026-11-01T00:00:00Z | first]

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import amqp from 'amqplib'

const { NKK_TOOL_URI: uri, NKK_TOOL_CA: ca } = process.env
const [stage, since] = process.argv.slice(2)
const user = decodeURIComponent(new URL(uri).username)
const queue = `${user}.${stage}`

const seen = new Set()
let request // for past events, until the last of them has come
let past = since !== undefined

// The library connects again whenever the broker was away, and calls `setup` for each connection.
// The first one fails at once where the settings are wrong.
const connection = await amqp.connect(uri, {
  ...(ca && { ca: [readFileSync(ca)] }),
  recovery: { setup, initialMaxRetries: 0, maxDelay: 10000 },
})
connection.on('error', () => {}) // 'disconnect' follows, or 'connect-failed'
connection.on('disconnect', (error) => console.error(`the broker is away (${error.message}); trying again until it is back`))
connection.on('connect-failed', (error) => {
  if (/ACCESS_REFUSED/.test(error.message)) end(error) // the tool was removed, or its secret rotated
})

async function setup(connection) {
  const channel = await connection.createConfirmChannel()
  await channel.prefetch(50)
  channel.on('error', end) // for example, the queue is missing
  if (past) await readPast(channel)
  else await readLive(channel)
}

// The messages of a queue, which `nkk tools add` made: a tool declares nothing.
function consume(channel, queue, onMessage) {
  return channel.consume(queue, (message) => {
    try {
      if (message === null) throw new Error(`the queue ${queue} was deleted`)
      onMessage(message)
      channel.ack(message) // once it is dealt with; it comes again otherwise
    } catch (error) {
      end(error)
    }
  })
}

async function readPast(channel) {
  request ??= await ask(channel, since === 'first' ? null : since)
  const { consumerTag } = await consume(channel, `${queue}.replay`, ({ properties: { headers, type }, content }) => {
    if (headers['x-nkk-replay'] !== request) return // what belongs to an earlier request is passed over
    if (type === 'replay.refused') throw new Error(JSON.parse(content).reason)
    if (type === 'replay.ended') {
      past = false
      channel.cancel(consumerTag).then(() => readLive(channel)).catch(() => {}) // the next connection does it
      return
    }
    const event = JSON.parse(content)
    if (!seen.has(event.id)) handle(event)
    seen.add(event.id)
  })
}

function readLive(channel) {
  return consume(channel, queue, ({ content }) => {
    const event = JSON.parse(content)
    if (!seen.delete(event.id)) handle(event) // else it came with the past
  })
}

// Asks the stage for its events since a moment, or for all where it is null; returns the request's id.
async function ask(channel, since) {
  const id = randomUUID()
  const name = `${stage}.replay-requests`
  await channel.purgeQueue(`${queue}.replay`)
  channel.once('return', () => end(new Error(`${stage} takes no requests for past events`)))
  // The broker compares userId with the connection's own.
  const properties = { messageId: id, userId: user, persistent: true, mandatory: true, contentType: 'application/json' }
  channel.publish(name, name, Buffer.from(JSON.stringify({ since })), properties)
  await channel.waitForConfirms()
  return id
}

function handle(event) {
  console.log(event.id, event.type, event.subject)
}

function end(error) {
  console.error(error.message)
  process.exit(1)
}
