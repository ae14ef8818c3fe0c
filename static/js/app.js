// Adds conveniences to every page, one feature per file. Every page works without them.
// The order of the imports does not matter: each feature only listens for its own events.
import "./time-zone.js";
import "./times.js";
import "./rest-while-hidden.js";
import "./figures-age.js";
import "./tab-progress.js";
import "./job-ticks.js";
import "./keep-focus.js";
import "./submit-once.js";
import "./one-click.js";
import "./copy.js";
import "./shortcuts.js";
import "./name-menu.js";
