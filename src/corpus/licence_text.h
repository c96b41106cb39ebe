// Licence texts and notices by fingerprint: a few words that only that licence has. Used for LICENSE files, for
// COPYRIGHT files and for the notice at the head of a source file. It does not compare whole texts: a changed text of a
// known licence is taken for that licence, and what has no fingerprint is unknown, hence out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pintle {

/// The SPDX expression that a licence text or notice amounts to, "" if none is recognised. A copyleft licence that is
/// named anywhere wins alone; several permissive ones are joined by OR where the text offers a choice ("either", "at
/// your option", "dual"), else by AND. Only the first 64 KiB count.
std::string ClassifyLicenceText(std::string_view text);

/// What the head of a Rust file says about its licence: the expression of an SPDX-License-Identifier line in one of the
/// comments before the first code, else what ClassifyLicenceText finds in the plain (not doc) comments there, else "".
std::string HeaderLicence(std::string_view source);

/// The comments (with doc comments or only plain ones) before the first code of a file, without what stands between
/// them; at most 8 KiB of the file are looked at.
std::string LeadingComments(std::string_view source, bool with_docs);

/// True for LICENSE, LICENCE, COPYING, UNLICENSE and COPYRIGHT files in their usual spellings (LICENSE-MIT,
/// license.txt).
bool IsLicenceFileName(std::string_view name);

}  // namespace pintle
