// What Gradio has no word for: focus, keys, copying, and where new words are read out.
(() => {
  "use strict";

  const LARGEST_FILE = 500_000; // bytes; the guard lets no text through that is much larger
  const LARGEST_TEXT = 990_000; // bytes of a request, as the guard counts them
  const IN_TERMINAL = "In a terminal: reframer journal, and its path.";
  const TOO_LARGE = `That file is too large for this page. ${IN_TERMINAL}`;
  const NOT_READ = `That file cannot be read on this page without damage. ${IN_TERMINAL}`;
  const find = (selector) => document.querySelector(selector);
  const box = () => find("#thought textarea");
  const shown = (element) => element !== null && element.offsetParent !== null;
  const tab = (name) => find(`#tabs [role=tab][id^="${name}"]`);

  function copy(button) {
    const words = [...document.querySelectorAll("#talk .words")].at(-1);
    navigator.clipboard.writeText(words.innerText.trim()).then(() => {
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  // A box on a page knows neither byte order mark nor "\r": the file gets them back when it is saved.
  const UNMARKED = { mark: "", windows: false };
  let opened = UNMARKED;
  const decoded = (bytes) => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return null;
    }
  };
  function asOpened(bytes) {
    const text = decoded(bytes);
    return text === null ? bytes : opened.mark + (opened.windows ? text.replaceAll("\n", "\r\n") : text);
  }

  // The text is read here and goes into the box; there is no upload that would become a file.
  function openFile() {
    const chooser = document.createElement("input");
    chooser.type = "file";
    chooser.addEventListener("change", async () => {
      const file = chooser.files[0];
      if (!file) return;
      const small = file.size <= LARGEST_FILE;
      const text = small ? decoded(await file.arrayBuffer()) : null;
      noteBelow("#journal-do", !small ? TOO_LARGE : text === null ? NOT_READ : "");
      if (text === null) return; // what is in the box stays
      const mark = text.startsWith("\ufeff") ? "\ufeff" : "";
      opened = { mark, windows: /\r\n/.test(text) && !/[^\r]\n|^\n|\r(?!\n)/.test(text) };
      fill("#journal-text textarea", text.slice(mark.length));
      fill("#journal-name :is(textarea, input)", file.name);
    });
    chooser.click();
  }

  function noteBelow(selector, text) {
    const place = find(selector);
    const note = place.querySelector("[role=alert]") ?? document.createElement("p");
    note.setAttribute("role", "alert");
    note.textContent = text;
    if (text) place.append(note);
    else note.remove();
  }

  // The guard would turn away what is too long, and nobody would be told.
  function holdBack(event, field, place, words) {
    const size = new Blob([JSON.stringify(field?.value ?? "")]).size;
    noteBelow(place, size > LARGEST_TEXT ? words : "");
    if (size <= LARGEST_TEXT) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  const holdBackThought = (event) =>
    holdBack(event, box(), "#composer", "That is longer than one message can be. Send it in parts.");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button")?.id;
    if (button === "send") holdBackThought(event);
    if (button === "journal-begin")
      holdBack(event, find("#journal-text textarea"), "#journal-do", `That is too long for this page. ${IN_TERMINAL}`);
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && event.target === box()) holdBackThought(event);
  }, true);

  function fill(selector, text) {
    const field = find(selector);
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  let saved = "";
  function save() {
    const number = find("#journal-out i")?.textContent ?? "";
    if (!number || number === saved) return;
    saved = number;
    const bytes = Uint8Array.from(atob(find("#journal-out b").textContent), (c) => c.charCodeAt(0));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([asOpened(bytes)]));
    link.download = find("#journal-name :is(textarea, input)")?.value || "journal.txt";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  let deciding = false; // whether the button pressed last goes away with the last sentence
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    deciding = button.closest("#decide") !== null;
    if (button.id === "copy") copy(button);
    else if (button.id === "journal-open") openFile();
    else if (button.id === "journal-clear") opened = UNMARKED;
    else if (button.closest("#wishes, #reasons, #good, #safety, #tools, #examples, #composer"))
      box()?.focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown(find("#stop"))) find("#stop").click();
    if (event.key === "ArrowUp" && event.target === box() && !box().value && shown(find("#edit"))) {
      event.preventDefault();
      find("#edit").click();
    }
    if (event.altKey && event.shiftKey && event.code === "KeyH") tab("help")?.click();
    if (event.altKey && event.shiftKey && event.code === "KeyC") {
      tab("chat")?.click();
      setTimeout(() => box()?.focus(), 100);
    }
  });

  // Who decided on the last sentence by keyboard goes on at what is there now.
  function goOn() {
    const next = find("#journal-download");
    if (!deciding || shown(find("#decide")) || !shown(next)) return;
    deciding = false;
    next.focus();
  }

  // New words are read out from #live alone, so that what is redrawn in #talk is not read again.
  function prepare() {
    for (const calm of ["#live", "#journal-progress", "#sentence", "#remembered"])
      find(calm)?.setAttribute("aria-live", "polite");
    for (const note of ["#note", "#kept-note"]) find(note)?.setAttribute("role", "alert");
    find("#answers .now")?.setAttribute("aria-current", "true"); // markup may not hold it
    box()?.setAttribute("dir", "auto");
    if (box()?.value === "") box().style.height = ""; // Gradio leaves it as tall as what was sent
    for (const group of document.querySelectorAll("fieldset:not([aria-label])"))
      group.setAttribute("aria-label", group.querySelector("[data-testid=block-info]").innerText);
  }

  // A new thought, and then its answer, are brought into view.
  let seen = "0 false";
  function follow() {
    const turns = document.querySelectorAll("#talk .turn").length;
    const now = `${turns} ${find("#talk .latest .words") !== null}`;
    if (turns > 0 && now !== seen) find("#talk .latest")?.scrollIntoView({ block: "start" });
    seen = now;
  }

  new MutationObserver(() => {
    prepare();
    save();
    follow();
    goOn();
  }).observe(document, { childList: true, subtree: true });
})();
