// The last hour as it goes on. Without a script the page tells it as it was when it was loaded.

const EVERY = 5000;
const GONE = [401, 403, 404];

/** A number of things, as the server writes it. */
function whole(number) {
  return number.toLocaleString("en");
}

class Live {
  constructor(section) {
    this.section = section;
    this.state = section.querySelector("[data-state]");
    this.pause = section.querySelector("[data-pause]");
    this.columns = [...section.querySelectorAll(".chart__column")];
    this.numbers = [...section.querySelectorAll(".chart__number")];
    this.rows = [...section.querySelectorAll("tbody tr")];
    this.height = Number(section.querySelector(".chart__drawing").dataset.height);
    this.etag = "";
    this.timer = 0;
    this.asking = false;
    this.state.hidden = this.pause.hidden = false;
    this.pause.addEventListener("click", () => this.toggle());
    document.addEventListener("visibilitychange", () => this.follow());
    // Coming back to a page that the browser kept.
    window.addEventListener("pageshow", (event) => event.persisted && this.follow());
    this.follow();
  }

  get still() {
    return document.hidden || this.pause.getAttribute("aria-pressed") === "true" || this.pause.hidden;
  }

  toggle() {
    const paused = this.pause.getAttribute("aria-pressed") !== "true";
    this.pause.setAttribute("aria-pressed", String(paused));
    if (paused) this.tell("Paused");
    this.follow();
  }

  /** Ask now and go on asking, or stop where nobody looks. */
  follow() {
    clearTimeout(this.timer);
    if (!this.still && !this.asking) this.ask();
  }

  async ask() {
    this.asking = true;
    try {
      await this.look();
    } catch {
      this.tell("The site does not answer");
    }
    this.asking = false;
    clearTimeout(this.timer);
    if (!this.still) this.timer = setTimeout(() => this.follow(), EVERY);
  }

  async look() {
    const headers = { Accept: "application/json", ...(this.etag && { "If-None-Match": this.etag }) };
    const answer = await fetch(this.section.dataset.url, { headers, cache: "no-store" });
    if (GONE.includes(answer.status)) {
      this.pause.hidden = true;
      this.tell("You are no longer logged in");
      return;
    }
    if (answer.status !== 304 && !answer.ok) throw new Error(String(answer.status));
    if (answer.ok) {
      this.etag = answer.headers.get("ETag") ?? "";
      this.show(await answer.json());
    }
    if (!this.still) this.tell(`As of ${new Date().toISOString().slice(11, 19)}`);
  }

  tell(sentence) {
    this.state.textContent = sentence;
  }

  show(hour) {
    for (const [key, value] of Object.entries(hour.figures)) this.section.querySelector(`[data-figure="${key}"]`).textContent = value;
    hour.ticks.forEach((words, place) => (this.numbers[place].textContent = words));
    const last = this.rows.length - 1;
    for (const [number, column] of this.columns.entries()) {
      const counts = [hour.answered[number], hour.refused[number]];
      const minute = new Date((hour.begins_at + number * 60) * 1000).toISOString().slice(11, 16);
      column.querySelector("title").textContent = `${minute}: ${whole(counts[0])} answered, ${whole(counts[1])} refused`;
      this.stack(column.querySelectorAll("rect"), counts, hour.top);
      const cells = this.rows[last - number].children;
      [minute, ...counts.map(whole)].forEach((words, place) => (cells[place].textContent = words));
    }
  }

  /** As the server stacks them: whatever there is can be seen, and the tallest gives what that takes. */
  stack(pieces, counts, top) {
    const heights = counts.map((count) => (count ? Math.max(1.5, (this.height * count) / top) : 0));
    const excess = Math.max(0, heights.reduce((sum, height) => sum + height, 0) - this.height);
    heights[heights.indexOf(Math.max(...heights))] -= excess;
    let foot = this.height;
    heights.forEach((height, place) => {
      foot -= height;
      pieces[place].setAttribute("y", Math.max(0, foot).toFixed(2));
      pieces[place].setAttribute("height", height.toFixed(2));
    });
  }
}

const section = document.querySelector("#live");
if (section) new Live(section);
