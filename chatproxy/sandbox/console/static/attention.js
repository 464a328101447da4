/** Ways to say that somebody is wanted while the page is not looked at: the title, a sound, a spoken line. */

import { part } from "./dom.js";

const SOUND_KEY = "console-sound";
const SPOKEN_MS = 1500;

export class Attention {
  #button = part("sound");
  #news = part("news");
  /** @type {AudioContext | null} */
  #audio = null;
  #isOn = localStorage.getItem(SOUND_KEY) === "on";

  constructor() {
    this.#button.addEventListener("click", () => {
      this.#isOn = !this.#isOn;
      localStorage.setItem(SOUND_KEY, this.#isOn ? "on" : "off");
      this.#show();
      this.chime();
    });
    this.#show();
  }

  /** @param {number} wanted how many things wait for the agent */
  count(wanted) {
    document.title = wanted ? `(${wanted}) Agent console` : "Agent console";
  }

  /**
   * Say something to who listens rather than looks. Said once: the region is emptied again.
   * @param {string} text
   */
  say(text) {
    this.#news.textContent = text;
    setTimeout(() => {
      if (this.#news.textContent === text) this.#news.textContent = "";
    }, SPOKEN_MS);
  }

  /** Two short tones, if sound is on. Browsers allow it once the page has been clicked. */
  chime() {
    if (!this.#isOn) return;
    this.#audio ??= new AudioContext();
    const start = this.#audio.currentTime;
    for (const [index, frequency] of [660, 880].entries()) {
      const [tone, volume] = [this.#audio.createOscillator(), this.#audio.createGain()];
      const at = start + index * 0.12;
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.12, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.22);
      tone.connect(volume).connect(this.#audio.destination);
      tone.start(at);
      tone.stop(at + 0.25);
    }
  }

  #show() {
    this.#button.setAttribute("aria-pressed", String(this.#isOn));
    this.#button.querySelector("use").setAttribute("href", this.#isOn ? "#i-bell" : "#i-bell-off");
  }
}
