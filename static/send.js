// One photo to the server by XMLHttpRequest: fetch cannot tell how much has been sent.

const PATIENCE = 120_000;

/** What went wrong, as a sentence for a person; `final` when sending the same photo again cannot help. */
export class SendError extends Error {
  constructor(sentence, final = false) {
    super(sentence);
    this.final = final;
  }
}

/**
 * Send `body` (a FormData) to `url`; `onProgress` hears the part sent, 0 to 1, and null once all of it has left.
 * Resolves to the answer's JSON, rejects with a SendError; `signal` aborts.
 */
export function send(url, body, token, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.timeout = PATIENCE;
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.upload.onload = () => onProgress(null);
    request.onload = () => {
      const answer = parse(request.responseText);
      if (request.status === 200 && answer?.sentence) resolve(answer);
      else reject(new SendError(sentence(request.status, answer), isFinal(request.status)));
    };
    request.onerror = () => reject(new SendError("The connection broke. Check it and classify again."));
    request.ontimeout = () => reject(new SendError("No answer came within two minutes. Classify again."));
    request.onabort = () => reject(new SendError("Not sent."));
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function sentence(status, problem) {
  if (problem?.detail) return problem.detail;
  if (status === 413) return "This photo is larger than the server takes.";
  if (status === 401 || status === 403) return "You are no longer logged in. Load the page again.";
  return `The server could not answer (error ${status}). Try again in a moment.`;
}

/** A refused picture stays refused; a busy or restarting server may answer the next time. */
function isFinal(status) {
  return status === 400 || status === 413 || status === 415 || status === 422;
}
