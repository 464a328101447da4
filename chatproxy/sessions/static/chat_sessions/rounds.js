// The page of a round that left some sessions for the next one: it sends itself. Without this script
// the button does.

"use strict";

const form = document.querySelector("form[data-goes-on]");
setTimeout(() => form.requestSubmit(), Number(form.dataset.goesOn));
