// The empty frame, with a script: drop, paste, previews, checks before sending, progress, answers in place.
// Without it the form is a plain one and the server says the same things.

import { MEGABYTE, PhotoRow, size } from "./photo-row.js";
import { SendError, send } from "./send.js";

const AT_ONCE = 2;

class Upload {
  constructor(form) {
    this.form = form;
    this.input = form.querySelector("#images");
    this.frame = form.querySelector(".upload__frame");
    this.list = form.querySelector(".photos");
    this.button = form.querySelector(".upload__send");
    this.problem = form.querySelector("#upload-problem");
    this.unkept = form.querySelector(".upload__unkept");
    this.status = form.querySelector("#upload-status");
    this.template = form.querySelector("#photo-row");
    this.token = document.querySelector('meta[name="csrf-token"]').content;
    this.rows = [];
    this.busy = false;
    this.furnish();
    this.listen();
  }

  /** What only a script can do appears only with it. */
  furnish() {
    this.form.classList.add("upload--live");
    this.form.noValidate = true;
    this.input.required = false;
    this.form.querySelector(".upload__or").hidden = false;
  }

  listen() {
    this.input.addEventListener("change", () => {
      this.add(this.input.files);
      this.input.value = ""; // so that the same photo can be chosen again
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.busy) this.sendAll();
    });
    this.form.querySelector("#model")?.addEventListener("change", (event) => {
      this.form.querySelector("#model-help").textContent = event.target.selectedOptions[0].dataset.expects;
      for (const row of this.rows) if (row.state !== "sending" && row.state !== "unfit") row.wait();
      if (!this.busy) this.arrange();
      this.tell("");
    });
    document.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length) this.add(event.clipboardData.files);
    });
    // A photo dropped beside the frame is meant for it, too: never let the browser open it instead of the page.
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      this.frame.classList.add("upload__frame--over");
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.frame.classList.remove("upload__frame--over");
    });
    document.addEventListener("drop", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      this.frame.classList.remove("upload__frame--over");
      this.add(event.dataTransfer.files);
    });
    // Coming back to a page that the browser kept: whatever it was doing then is over.
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      this.setBusy(false);
      for (const row of this.rows) if (row.state === "sending") row.wait();
    });
  }

  add(files) {
    const room = Number(this.form.dataset.photos) - this.rows.length;
    const taken = [...files].slice(0, Math.max(0, room));
    this.say("");
    for (const file of taken) {
      const row = new PhotoRow(this.template, file, this.unfit(file), (gone) => this.remove(gone));
      this.rows.push(row);
      this.list.append(row.element);
    }
    this.arrange();
    if (taken.length < files.length) {
      const left = files.length - taken.length;
      this.say(`${this.form.dataset.photos} photos fit in the frame; ${left === 1 ? "one was" : `${left} were`} left out.`);
    }
    this.tell(taken.length === 1 ? `${taken[0].name} is in the frame.` : `${taken.length} photos are in the frame.`);
  }

  /** Why the server would refuse this file, as far as that can be seen from here; "" when it would not. */
  unfit(file) {
    const { megabytes, names } = this.form.dataset;
    const kinds = this.input.accept.split(",").map((kind) => kind.trim().toLowerCase());
    const name = file.name.toLowerCase();
    const isPicture = file.type.startsWith("image/") || kinds.some((kind) => kind.startsWith(".") && name.endsWith(kind));
    if (file.type && !isPicture) return `This is not a picture. Taken are ${names}.`;
    if (file.size === 0) return "This file is empty.";
    if (file.size > megabytes * MEGABYTE) return `This photo has ${size(file.size)}; the limit is ${megabytes} MB.`;
    return "";
  }

  remove(row) {
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
    row.remove();
    this.rows = this.rows.filter((other) => other !== row);
    this.arrange();
    this.say("");
    this.tell(`${row.file.name} is out of the frame.`);
    (next?.querySelector(".photo__remove") ?? this.input).focus();
  }

  arrange() {
    this.list.hidden = this.rows.length === 0;
    this.frame.classList.toggle("upload__frame--filled", this.rows.length > 0);
    this.form.querySelector(".upload__choose").textContent = this.rows.length ? "Add photos" : "Choose photos";
    this.unkept.textContent = this.loss();
    this.unkept.hidden = !this.unkept.textContent;
    const waiting = this.rows.filter((row) => row.isWaiting).length;
    this.button.textContent = waiting > 1 ? `Classify ${waiting} photos` : "Classify";
  }

  /** What to say of answers that have no page of their own, as the server says it without a script; "" of none. */
  loss() {
    const answered = this.rows.filter((row) => row.state === "answered");
    const lost = answered.filter((row) => !row.url).length;
    if (!lost) return "";
    if (answered.length === 1) return "This answer is not kept: it is gone when you leave the page.";
    const which = lost === answered.length ? "These answers" : "Answers without a link";
    return `${which} are not kept: they are gone when you leave the page.`;
  }

  async sendAll() {
    const waiting = this.rows.filter((row) => row.isWaiting);
    if (!waiting.length) return this.ask();
    this.say("");
    this.setBusy(true);
    this.tell(waiting.length === 1 ? "Sending the photo." : `Sending ${waiting.length} photos.`);
    const queue = [...waiting];
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.work(queue)));
    this.setBusy(false);
    this.conclude();
  }

  async work(queue) {
    for (let row = queue.shift(); row; row = queue.shift()) if (this.rows.includes(row)) await this.sendOne(row);
  }

  async sendOne(row) {
    const body = new FormData();
    body.append("images", row.file);
    body.append("model", this.form.elements.model.value);
    row.begin();
    try {
      row.answer(await send(this.form.action, body, this.token, {
        onProgress: (part) => row.advance(part),
        signal: row.stop.signal,
      }));
      if (this.rows.length > 1) this.tell(`${row.file.name}: ${row.status.textContent}`);
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      row.fail(error.message, error.final);
    }
  }

  conclude() {
    const [only] = this.rows;
    if (this.rows.length === 1 && only.state === "answered") {
      if (only.url) location.assign(only.url);
      else this.tell(`${only.status.textContent}. ${this.unkept.textContent}`);
      return;
    }
    const failed = this.rows.filter((row) => row.state !== "answered").length;
    if (failed === 1) this.say("One photo was not classified. The reason stands beside its name.");
    else if (failed) this.say(`${failed} photos were not classified. The reason stands beside each name.`);
    else if (this.rows.length) this.tell(`All photos are classified. ${this.unkept.textContent}`);
  }

  /** Nothing to send: say so at the field. */
  ask() {
    this.say(this.rows.length ? "Every photo in the frame has its answer. Choose another one." : "Choose a photo first.");
  }

  setBusy(busy) {
    this.busy = busy;
    this.form.setAttribute("aria-busy", String(busy));
    this.button.setAttribute("aria-disabled", String(busy));
    if (busy) this.button.textContent = "Classifying";
    else this.arrange();
  }

  /** A problem, for everyone; it takes the focus. */
  say(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
    if (sentence) this.problem.focus();
  }

  /** News, for a screen reader. */
  tell(sentence) {
    this.status.textContent = sentence;
  }
}

const form = document.querySelector("#upload");
if (form) new Upload(form);
