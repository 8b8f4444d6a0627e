/* SPDX-License-Identifier: BSD-3-Clause */
/* Debian 13's furo has lost its rule for who prefers dark and has chosen nothing. */
if (document.body.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches)
	document.body.dataset.theme = "dark";
