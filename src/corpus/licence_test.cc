#include <doctest/doctest.h>

#include "corpus/cargo_manifest.h"
#include "corpus/licence_text.h"
#include "corpus/source_facts.h"
#include "corpus/spdx.h"

namespace pintle {
namespace {

const std::vector<std::string> kList = {"MIT", "Apache-2.0", "Zlib", "Unicode-3.0"};

std::string Choose(std::string_view expression) {
  const LicenceDecision decision = ChooseLicence(expression, kList);
  const char* verdicts[] = {"yes ", "no ", "? "};
  return verdicts[static_cast<int>(decision.verdict)] + decision.text;
}

TEST_CASE("an SPDX expression gives its best permissive branch") {
  CHECK(Choose("MIT") == "yes MIT");
  CHECK(Choose("mit") == "yes MIT");
  CHECK(Choose("Apache-2.0 OR MIT") == "yes MIT");
  CHECK(Choose("MIT/Apache-2.0") == "yes MIT");
  CHECK(Choose("GPL-2.0-only / Apache-2.0") == "yes Apache-2.0");
  CHECK(Choose("MIT OR Apache-2.0 OR LGPL-2.1-or-later") == "yes MIT");
  CHECK(Choose("Apache-2.0 WITH LLVM-exception") == "yes Apache-2.0 WITH LLVM-exception");
  CHECK(Choose("(MIT OR Apache-2.0) AND Unicode-3.0") == "yes MIT AND Unicode-3.0");
  CHECK(Choose("MIT AND Zlib AND (MIT OR Apache-2.0)") == "yes MIT AND Zlib");
  // AND binds stronger than OR.
  CHECK(Choose("MIT AND GPL-3.0-only OR Zlib") == "yes Zlib");
  CHECK(Choose("Apache-2.0+") == "yes Apache-2.0");
}

TEST_CASE("what is not permissive or not an expression stays out") {
  CHECK(Choose("MPL-2.0") == "no MPL-2.0");
  CHECK(Choose("MPL-2.0+") == "no MPL-2.0");
  CHECK(Choose("MIT AND GPL-2.0-or-later") == "no GPL-2.0-or-later");
  CHECK(Choose("GPL-2.0-only WITH Classpath-exception-2.0") == "no GPL-2.0-only WITH Classpath-exception-2.0");
  CHECK(Choose("LicenseRef-proprietary") == "no LicenseRef-proprietary");
  for (const char* bad :
       {"", " ", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Apache-2.0", "MIT WITH", "MIT, Zlib", "MIT WITH OR Zlib"}) {
    CAPTURE(bad);
    CHECK(ChooseLicence(bad, kList).verdict == LicenceVerdict::kUnknown);
  }
  const std::string deep = std::string(33, '(') + "MIT" + std::string(33, ')');
  CHECK(ChooseLicence(deep, kList).verdict == LicenceVerdict::kUnknown);
  CHECK(ChooseLicence(deep.substr(1, deep.size() - 2), kList).verdict == LicenceVerdict::kPermissive);
  CHECK(ChooseLicence(std::string(2000, 'x'), kList).verdict == LicenceVerdict::kUnknown);
}

TEST_CASE("licence texts and notices are known by their fingerprint") {
  CHECK(ClassifyLicenceText("Licensed under the Apache License, Version 2.0 (the \"License\")") == "Apache-2.0");
  CHECK(ClassifyLicenceText("Apache License, Version 2.0 or the\n// MIT license, at your option") ==
        "MIT OR Apache-2.0");
  CHECK(ClassifyLicenceText("Mozilla Public License; may be combined with the GNU General Public License") ==
        "MPL-2.0");
  CHECK(ClassifyLicenceText("under the terms of the GNU Lesser General\n * Public License") == "LGPL-2.1-or-later");
  CHECK(ClassifyLicenceText("Redistribution and use in source and binary forms, with or without ...") ==
        "BSD-2-Clause");
  CHECK(ClassifyLicenceText(
            "Permission is hereby granted, free of charge, to any person obtaining a copy of the Unicode data "
            "files and any associated documentation") == "Unicode-DFS-2016");
  CHECK(ClassifyLicenceText("All rights reserved.").empty());
  CHECK(HeaderLicence("#!/usr/bin/env run\n/* SPDX-License-Identifier: MIT OR Apache-2.0 */\nfn main() {}") ==
        "MIT OR Apache-2.0");
  CHECK(HeaderLicence("// Copyright\n//! Docs that mention the GNU General Public License\nfn f() {}").empty());
  CHECK(HeaderLicence("fn f() {}\n// SPDX-License-Identifier: MIT").empty());
  CHECK(IsLicenceFileName("LICENSE-MIT"));
  CHECK(IsLicenceFileName("licence.txt"));
  CHECK(IsLicenceFileName("COPYING"));
  CHECK_FALSE(IsLicenceFileName("licenses.rs"));
  CHECK_FALSE(IsLicenceFileName("license.rs"));
}

TEST_CASE("Cargo.toml gives name, version, licence and what is inherited") {
  const auto m = ParseCargoManifest(
      "[package]\nname = \"a\"\nversion.workspace = true\nlicense = { workspace = true }\nworkspace = \"../root\"\n",
      "Cargo.toml");
  REQUIRE(m.ok());
  CHECK(m->name == "a");
  CHECK(m->version_inherited);
  CHECK(m->licence_inherited);
  CHECK(m->workspace_folder == "../root");
  CHECK(ParseCargoManifest("[package\nname = 1", "x/Cargo.toml").error().where == "x/Cargo.toml:1");
  const auto odd = ParseCargoManifest(
      "# a \"comment\"\n[ package ]\n\"name\" = 'b'  # end\ndescription = \"\"\"\nlicense = \"GPL-3.0\"\n\"\"\"\n"
      "keywords = [\"x\", [\"y\"], # no ]\n 'z']\nversion = \"1.\\\"2\"\r\nlicense-file.workspace = true\n"
      "[[bin]]\nname = \"other\"\n[dependencies]\nname = { version = \"3\", features = [\"a\"] }\n[workspace]\n",
      "Cargo.toml");
  REQUIRE(odd.ok());
  CHECK(odd->name == "b");
  CHECK(odd->licence.empty());
  CHECK(odd->version == "1.\"2");
  CHECK(odd->licence_file_inherited);
  CHECK(odd->has_workspace);
  for (const char* bad :
       {"[/a]", "[a", "a", "a =", "= 1", "a = \"x", "a = [1", "a = { b = 1", "a = 1 }\n[]", "[[a]", "a = 'x' y"}) {
    CAPTURE(bad);
    CHECK_FALSE(ParseCargoManifest(bad, "Cargo.toml").ok());
  }
  // Wrong types count as missing.
  CHECK(ParseCargoManifest("package = 3\nworkspace = []\n", "Cargo.toml")->name.empty());
  CHECK(ParseCargoManifest("[package]\nname = 3\nlicense-file = [\"a\"]\n", "Cargo.toml")->licence_file.empty());
}

TEST_CASE("versions compare as numbers, releases above their previews") {
  CHECK(ParseVersion("1.10.0") > ParseVersion("1.9.9"));
  CHECK(ParseVersion("1.0.0") > ParseVersion("1.0.0-rc.1"));
  CHECK(ParseVersion("1.96.0+dfsg1") == ParseVersion("1.96"));
  CHECK(ParseVersion("99999999999999999999.1").parts[1] == 1);
  CHECK(ParseVersion("") == ParseVersion("0.0.0"));
}

TEST_CASE("REUSE patterns and records") {
  CHECK(ReuseMatch("src/**", "src/a/b.rs"));
  CHECK(ReuseMatch("src/*.rs", "src/a.rs"));
  CHECK_FALSE(ReuseMatch("src/*.rs", "src/a/b.rs"));
  CHECK(ReuseMatch("**/b.rs", "x/y/b.rs"));
  CHECK(ReuseMatch("*/**/z*.rs", "x/y/w/zz.rs"));
  CHECK_FALSE(ReuseMatch("a", "ab"));
  CHECK(ReuseMatch("a\\*", "a*"));
  const auto toml = ParseReuseToml(
      "version = 1\n[[annotations]]\npath = [\"a/**\"]\nSPDX-License-Identifier = \"MIT\"\n"
      "[[annotations]]\npath = \"b\"\nSPDX-License-Identifier = [\"MIT\", \"GPL-2.0-only\"]\n");
  REQUIRE(toml.size() == 2);
  CHECK(toml[1].licence == "(MIT) AND (GPL-2.0-only)");
  const auto dep5 = ParseReuseDep5(
      "Format: x\n\nFiles: a/* b\nCopyright: somebody\nLicense: MIT\n text\n\nFiles: c\n d/*\nLicense: ISC\n");
  REQUIRE(dep5.size() == 2);
  CHECK(dep5[0].patterns == std::vector<std::string>{"a/**", "b"});
  CHECK(dep5[1].patterns == std::vector<std::string>{"c", "d/**"});
  CHECK(dep5[1].licence == "ISC");
  std::string many = "License: MIT\nFiles:";
  for (int i = 0; i < 2000; ++i) many += " f" + std::to_string(i);
  CHECK(ParseReuseDep5(many).front().licence == "LicenseRef-too-many-patterns");
}

TEST_CASE("the nearest record decides") {
  SourceFacts facts;
  facts.Add("top/Cargo.toml", "[workspace]\n[workspace.package]\nlicense = \"Zlib\"\nversion = \"2.0.0\"\n");
  facts.Add("top/COPYRIGHT", "Apache License, Version 2.0 or MIT license at your option; both files count");
  facts.Add("top/a/Cargo.toml", "[package]\nname = \"a\"\nversion.workspace = true\nlicense.workspace = true\n");
  facts.Add("top/a/src/third_party/LICENSE", "GNU General Public License");
  facts.Add("top/b/Cargo.toml", "[package]\nname = \"b\"\nlicense-file = \"../COPYRIGHT\"\n");
  facts.Add("top/c/Cargo.toml", "[package]\nname = \"c\"\nlicense-file = \"../../../etc/passwd\"\n");
  facts.Add("top/d/LICENSE-MIT", "MIT License");
  facts.Add("top/d/LICENSE-APACHE", "Apache License Version 2.0");
  facts.Add("top/e/REUSE.toml", "[[annotations]]\npath = \"gen/**\"\nSPDX-License-Identifier = \"CC0-1.0\"\n");
  facts.Add("top/vendor/x/Cargo.toml", "[package]\nname = \"x\"\n");
  facts.Finish("");
  CHECK(facts.Licence("top/a/src/lib.rs").expression == "Zlib");
  CHECK(facts.Licence("top/a/src/lib.rs").from == "top/Cargo.toml");
  CHECK(facts.Licence("top/a/src/third_party/f.rs").expression == "GPL-2.0-or-later");
  // A module that is called vendor belongs to its own crate.
  CHECK(facts.Licence("top/a/src/vendor/intel.rs").expression == "Zlib");
  CHECK(facts.Licence("top/b/src/lib.rs").expression == "MIT OR Apache-2.0");
  CHECK(facts.Licence("top/c/src/lib.rs").expression.empty());
  CHECK(facts.Licence("top/d/f.rs").expression == "Apache-2.0 OR MIT");
  CHECK(facts.Licence("top/e/gen/f.rs").expression == "(CC0-1.0)");
  CHECK(facts.Licence("top/e/f.rs").expression == "MIT OR Apache-2.0");
  CHECK(facts.Licence("top/vendor/x/src/lib.rs").expression.empty());
  CHECK(facts.Licence("outside.rs").expression.empty());

  CHECK(facts.Crate("top/a/src/lib.rs").version == "2.0.0");
  CHECK(facts.Crate("top/a/src/lib.rs").path_in_crate == "src/lib.rs");
  // Without a package: two folders below the root of the tree.
  CHECK(facts.Crate("top/tests/ui/x/y.rs").name == "tests/ui");
  CHECK(facts.Crate("top/tests/ui/x/y.rs").path_in_crate == "x/y.rs");
  CHECK(facts.Crate("f.rs").path_in_crate == "f.rs");
}

}  // namespace
}  // namespace pintle
