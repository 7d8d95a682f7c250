//! A document whose examples can be run: its parts, their blocks of code, and what these are said to print.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Result};

/// A Markdown document.
pub(super) struct Guide {
    text: String,
}

/// A block of code.
pub(super) struct Block {
    /// The text behind the fence.
    pub(super) language: String,
    /// Its lines.
    pub(super) text: String,
}

impl Block {
    /// Tells whether it installs something, as every reader does once.
    pub(super) fn is_installation(&self) -> bool {
        self.language == "sh"
            && ["npm install ", "python3 -m venv "].iter().any(|way| self.text.starts_with(way))
    }

    /// Tells whether it is what the commands before it print.
    fn is_output(&self) -> bool {
        matches!(self.language.as_str(), "text" | "json")
    }
}

impl Guide {
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .map_err(Failure::while_doing(format!("{} cannot be read", path.display())))?;
        Ok(Self { text })
    }

    /// The blocks below the second-level heading of this name.
    ///
    /// # Errors
    /// When there are none.
    pub(super) fn part(&self, name: &str) -> Result<Vec<Block>> {
        let heading = format!("## {name}");
        let mut lines = self.text.lines().skip_while(|line| *line != heading).skip(1);
        let mut blocks: Vec<Block> = Vec::new();
        while let Some(line) = lines.next().filter(|line| !line.starts_with("## ")) {
            if let Some(language) = line.strip_prefix("```") {
                let inside = lines.by_ref().take_while(|line| *line != "```");
                let text = inside.map(|line| format!("{line}\n")).collect();
                blocks.push(Block { language: language.to_owned(), text });
            }
        }
        if blocks.is_empty() { Err(format!("There is no part “{name}”.").into()) } else { Ok(blocks) }
    }

    /// Checks that a part's commands printed what the part says, in its order. `…` stands for anything.
    ///
    /// # Errors
    /// Names the first line that was not printed.
    pub(super) fn require_printed(&self, part: &str, printed: &str) -> Result {
        let mut outputs = self.part(part)?;
        outputs.retain(Block::is_output);
        if outputs.is_empty() {
            return Err(format!("{part} does not say what is printed.").into());
        }
        let mut rest = printed;
        for line in outputs.iter().flat_map(|block| block.text.lines()) {
            for words in line.split('…') {
                let Some(place) = rest.find(words) else {
                    return Err(format!("{part} says that “{line}” is printed, and it is not.").into());
                };
                rest = &rest[place + words.len()..];
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guide() -> Guide {
        let text = "## One\n\n```sh\nnpm install a@1\n```\n\n### Below\n\n```sh\necho # not a heading\n```\n\n\
                    ```text\na … c\nd\n```\n\n## Two\n\n```sh\n## neither\n```\n";
        Guide { text: text.to_owned() }
    }

    #[test]
    fn a_part_ends_where_the_next_begins() {
        let part = guide().part("One").unwrap();
        assert_eq!(
            part.iter().map(|block| block.language.as_str()).collect::<Vec<_>>(),
            ["sh", "sh", "text"]
        );
        assert!(part[0].is_installation() && !part[1].is_installation());
        assert_eq!(guide().part("Two").unwrap()[0].text, "## neither\n");
        assert!(guide().part("Three").is_err());
    }

    #[test]
    fn a_part_that_says_nothing_of_what_is_printed_is_refused() {
        assert!(guide().require_printed("Two", "anything\n").is_err());
    }

    #[test]
    fn all_that_is_said_has_to_be_printed_in_order() {
        assert!(guide().require_printed("One", "x\na b c\nd\n").is_ok());
        for wrong in ["a b c\n", "d\na b c\n", "a b\nd\n", ""] {
            assert!(guide().require_printed("One", wrong).is_err(), "{wrong:?}");
        }
    }
}
