// One chosen photo on the page: its preview, its name, and what is happening to it.

export const MEGABYTE = 1_000_000;
const SLOW = 1000;

export class PhotoRow {
  /** `template` is the markup of a row; `problem` is a sentence when the photo cannot be sent at all. */
  constructor(template, file, problem, onRemove) {
    this.file = file;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.status = this.element.querySelector(".photo__status");
    this.progress = this.element.querySelector(".photo__progress");
    this.stop = new AbortController();
    const name = this.element.querySelector(".photo__name");
    name.textContent = name.title = file.name;
    const remove = this.element.querySelector(".photo__remove");
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => onRemove(this));
    this.showPreview();
    if (problem) this.set("unfit", problem);
    else this.wait();
  }

  get isWaiting() {
    return this.state === "waiting" || this.state === "failed";
  }

  showPreview() {
    const image = this.element.querySelector(".photo__preview");
    this.preview = URL.createObjectURL(this.file);
    image.addEventListener("load", () => image.parentElement.classList.add("photo__picture--shown"));
    // HEIC in most browsers, or no picture at all: the name stands for it.
    image.addEventListener("error", () => image.remove());
    image.src = this.preview;
  }

  wait() {
    this.set("waiting", size(this.file.size));
  }

  begin() {
    this.stop = new AbortController();
    this.set("sending", "Sending");
    this.progress.removeAttribute("value");
    this.timer = setTimeout(() => (this.progress.hidden = false), SLOW);
  }

  /** `part` is 0 to 1 while the photo travels, null while the model looks at it. */
  advance(part) {
    if (part === null) {
      this.progress.removeAttribute("value");
      this.status.textContent = "Looking at it";
    } else {
      this.progress.value = part;
      this.status.textContent = `Sending, ${Math.floor(part * 100)} %`;
    }
  }

  /** `url` is null where the answer is not kept: it has no page of its own. */
  answer({ url, sentence, probability }) {
    this.set("answered", "");
    this.url = url;
    const words = document.createElement(url ? "a" : "span");
    if (url) words.href = url;
    words.className = "photo__answer";
    words.textContent = sentence;
    const value = document.createElement("span");
    value.className = "photo__value";
    value.textContent = probability;
    this.status.append(words, " ", value);
  }

  /** `final` when sending the same photo again cannot help. */
  fail(sentence, final) {
    this.set(final ? "refused" : "failed", sentence);
  }

  remove() {
    this.stop.abort();
    clearTimeout(this.timer);
    URL.revokeObjectURL(this.preview);
    this.element.remove();
  }

  set(state, words) {
    this.state = state;
    this.element.dataset.state = state;
    this.status.textContent = words;
    if (state !== "sending") {
      clearTimeout(this.timer);
      this.progress.hidden = true;
    }
  }
}

export function size(bytes) {
  return bytes < MEGABYTE ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
