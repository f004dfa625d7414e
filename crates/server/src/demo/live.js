// The two things on this page that only a script can show: what a script sees, and time passing.
"use strict";

const at = (id) => document.getElementById(id);

at("script-sees").textContent = document.cookie === "" ? '"" (nothing)' : document.cookie;

const life = at("life");
let expires = Number(life.dataset.expires);
function tick() {
  const left = Math.max(0, Math.round(expires - Date.now() / 1000));
  life.textContent = left > 0 ? `${left} s` : "0 s: the next request brings a new one";
  at("left").value = left;
}
tick();
setInterval(tick, 1000);

async function received(headers) {
  const response = await fetch("/demo/received", { headers, redirect: "manual" });
  if (!response.ok) throw new Error("refused: the session has ended");
  return response.json();
}

function show(output, promise) {
  promise.then((text) => { output.textContent = text; }, (error) => { output.textContent = error.message; });
}

at("ask").hidden = false;
at("ask").addEventListener("click", () => show(at("asked"), received({}).then((answer) => {
  const same = answer.jti === at("jti").textContent;
  at("jti").textContent = answer.jti;
  expires = Date.now() / 1000 + answer.expires_in;
  tick();
  return same ? "The same JWT, from memory." : "A new JWT: the old one was near its end.";
})));

at("forge").hidden = false;
at("forge").addEventListener("click", () => show(at("forged"), received({ "X-Auth-Subject": "mallory" }).then((answer) => {
  const subject = answer.headers.filter(([name]) => name === "x-auth-subject").map(([, value]) => value);
  return `The service received: ${subject.join(", ")}`;
})));
