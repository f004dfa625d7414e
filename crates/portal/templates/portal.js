// What a page can do better where scripts run: show what stands in a password field, and say times in the reader's own zone. Everything
// works without it, and what needs it stays hidden until it is there.
"use strict";

function showsPasswords(button) {
  const fields = button.getAttribute("aria-controls").split(" ").map((id) => document.getElementById(id));
  const show = (shown) => {
    for (const field of fields) field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-pressed") !== "true"));
  // A browser remembers what was sent as text, and offers it to the next person at this keyboard.
  button.form.addEventListener("submit", () => show(false));
  window.addEventListener("pagehide", () => show(false));
  button.hidden = false;
}

function inZoneOfReader(times) {
  // In the page's language, as the reader's part of the world writes it: British or American English.
  const page = document.documentElement.lang;
  const asked = navigator.languages.filter((tag) => tag.split("-")[0] === page.split("-")[0]);
  const format = new Intl.DateTimeFormat([...asked, page], {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });
  for (const time of times) {
    const local = format.format(new Date(time.dateTime));
    if (time.title) {
      // The text says how long ago it was.
      time.title = local;
    } else {
      time.title = time.textContent;
      time.textContent = local;
    }
  }
}

document.querySelectorAll("button[aria-controls][aria-pressed]").forEach(showsPasswords);
inZoneOfReader(document.querySelectorAll("time[datetime]"));
