// Sends a file with tus-js-client as it is. Arguments: endpoint, token, file, and perhaps a chunk size.
import { createReadStream, statSync } from "node:fs";

import * as tus from "tus-js-client";

const [endpoint, token, file, chunk] = process.argv.slice(2);

const upload = new tus.Upload(createReadStream(file), {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  chunkSize: chunk ? Number(chunk) : Infinity,
  retryDelays: Array(40).fill(500),
  uploadSize: statSync(file).size,
  metadata: { filename: "surat.txt", filetype: "text/plain" },
  onError: (error) => {
    throw error;
  },
  onSuccess: () => console.log(upload.url),
});
upload.start();
