// The letter's link has its code after the #, which is not sent to the server. This script puts it into the form.
(() => {
  "use strict";
  const take = () => {
    const code = location.hash.slice(1);
    const field = document.querySelector("#token");
    if (!/^[0-9a-fA-F]{8,200}$/.test(code) || !field) return;
    field.value = code;
    // Removed from the address, so that neither bystanders nor the history see the code.
    history.replaceState(history.state, "", location.pathname);
    document.querySelector("#password")?.focus();
  };
  addEventListener("hashchange", take);
  take();
})();
