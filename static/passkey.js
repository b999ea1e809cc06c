// Passkeys: asks the server what to ask the browser, and sends the browser's answer as a form. Without a script, or in a
// browser without passkeys, these forms stay hidden, and what says so stays.

const possible = Boolean(window.PublicKeyCredential && navigator.credentials);
const SENT = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !possible;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
}

for (const sentence of document.querySelectorAll("[data-without-passkeys]")) sentence.hidden = possible;

async function ask(form) {
  const said = form.querySelector('[role="status"]');
  const button = form.querySelector('button[type="submit"]');
  button.disabled = true;
  said.textContent = "Your browser asks you now.";
  try {
    const publicKey = readable(await options(form.dataset.options ?? form.action));
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
    form.elements.credential.value = JSON.stringify(plain(credential));
    const stays = document.querySelector('[type="checkbox"][name="remember"]');
    if (form.elements.remember && stays?.checked) form.elements.remember.value = "y";
    said.textContent = "";
    form.submit();
  } catch (error) {
    said.textContent = sentence(error);
    button.disabled = false;
  }
}

async function options(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer) throw new Error("The connection broke. Check it and try again.");
  if (answer.redirected) {
    location.reload(); // the login is over or too old: the page itself leads to where it begins
    throw new Error("Log in again.");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail ?? "The server could not answer. Try again in a moment.");
  return body.publicKey;
}

/** The server's JSON with the bytes that the browser wants. */
function readable({ challenge, user, excludeCredentials, allowCredentials, ...rest }) {
  const read = { ...rest, challenge: bytes(challenge) };
  const known = (list) => list.map((one) => ({ ...one, id: bytes(one.id) }));
  if (user) read.user = { ...user, id: bytes(user.id) };
  if (excludeCredentials) read.excludeCredentials = known(excludeCredentials);
  if (allowCredentials) read.allowCredentials = known(allowCredentials);
  return read;
}

/** The browser's answer as JSON, in the form that all servers read. */
function plain({ id, rawId, type, authenticatorAttachment, response }) {
  const sent = SENT.filter((name) => response[name]).map((name) => [name, text(response[name])]);
  return { id, rawId: text(rawId), type, authenticatorAttachment, response: Object.fromEntries(sent), clientExtensionResults: {} };
}

function bytes(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function sentence(error) {
  switch (error.name) {
    case "NotAllowedError":
    case "AbortError":
      return "Nothing came of it: it was cancelled, or took too long.";
    case "InvalidStateError":
      return "That device has a passkey for this account already.";
    case "SecurityError":
      return "Passkeys work only at this site's own address; open it there.";
    default:
      return error.message || "That did not work; try again.";
  }
}
