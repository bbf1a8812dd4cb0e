// The letter's link carries its code behind the #, which no server is sent: here it goes into the form.
(() => {
  "use strict";
  const take = () => {
    const code = location.hash.slice(1);
    const field = document.querySelector("#token");
    if (!/^[0-9a-fA-F]{8,200}$/.test(code) || !field) return;
    field.value = code;
    // Gone from the address: whoever looks over a shoulder or through the history finds no code.
    history.replaceState(history.state, "", location.pathname);
    document.querySelector("#password")?.focus();
  };
  addEventListener("hashchange", take);
  take();
})();
