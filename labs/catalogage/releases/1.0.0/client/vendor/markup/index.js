"use strict";

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

exports.escape = (text) => String(text).replace(/[&<>"]/g, (found) => ENTITIES[found]);
