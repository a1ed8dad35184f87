// What Gradio has no word for: focus, keys, copying, and where new words are read out.
(() => {
  "use strict";

  const LARGEST_FILE = 500_000; // bytes; the guard lets no text through that is much larger
  const LARGEST_TEXT = 990_000; // bytes of a request, as the guard counts them
  const IN_TERMINAL = "In a terminal: reframer journal, and its path.";
  const TOO_LARGE = `That file is too large for this page. ${IN_TERMINAL}`;
  const find = (selector) => document.querySelector(selector);
  const box = () => find("#thought textarea");
  const shown = (element) => element !== null && element.offsetParent !== null;
  const tab = (name) => find(`#tabs [role=tab][id^="${name}"]`);

  function copy(button) {
    const words = [...document.querySelectorAll("#talk .words")].at(-1);
    navigator.clipboard.writeText(words.innerText.trim()).then(() => {
      const label = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }

  // The text is read here and goes into the box; there is no upload that would become a file.
  function openFile() {
    const chooser = document.createElement("input");
    chooser.type = "file";
    chooser.addEventListener("change", async () => {
      const file = chooser.files[0];
      if (!file) return;
      const small = file.size <= LARGEST_FILE;
      fill("#journal-text textarea", small ? await file.text() : "");
      fill("#journal-name :is(textarea, input)", file.name);
      noteBelow("#journal-do", small ? "" : TOO_LARGE);
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
    link.href = URL.createObjectURL(new Blob([bytes]));
    link.download = find("#journal-name :is(textarea, input)")?.value || "journal.txt";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.id === "copy") copy(button);
    else if (button.id === "journal-open") openFile();
    else if (button.closest("#wishes, #safety, #tools, #examples, #composer")) box()?.focus();
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

  // New words are read out from #live alone, so that what is redrawn in #talk is not read again.
  function prepare() {
    find("#live")?.setAttribute("aria-live", "polite");
    find("#journal-progress")?.setAttribute("aria-live", "polite");
    find("#note")?.setAttribute("role", "alert");
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
  }).observe(document, { childList: true, subtree: true });
})();
