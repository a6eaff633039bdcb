//! The public API of the runtime, as its source says it: a change of it shows in `api.txt`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use quote::{ToTokens, quote};
use syn::{Attribute, Item, ItemImpl, Type, UseTree, Visibility};

const HEADER: &str = "\
# The public items of retry-runtime, read from its source with all features.
#
# What macros write is not here: the commands of the client (`COMMANDS` lists them), and the methods that several types
# have from one list. `UPDATE_API=1 cargo test -p retry-tests --test ui api` writes this file.
";

type Module = Vec<String>;

/// The items of every module.
struct Source(BTreeMap<Module, Vec<Item>>);

#[test]
fn the_public_api_is_the_one_in_the_snapshot() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = Source::read(&tests.join("../retry-runtime/src"));
    let mut api = Api { source: &source, paths: BTreeMap::new(), external: BTreeSet::new() };
    api.walk(&Module::new(), "retry_runtime");
    let lines = api.lines();
    assert!(lines.len() > 300, "{} lines", lines.len());

    let snapshot = tests.join("api.txt");
    if env::var_os("UPDATE_API").is_some() {
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        fs::write(&snapshot, format!("{HEADER}\n{text}")).expect("written");
        return;
    }
    let text = fs::read_to_string(&snapshot).unwrap_or_default();
    let kept = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let kept = kept.map(str::to_owned).collect::<BTreeSet<_>>();
    let gone = kept.difference(&lines).map(|line| format!("- {line}\n"));
    let new = lines.difference(&kept).map(|line| format!("+ {line}\n"));
    let changes = gone.chain(new).collect::<String>();
    assert!(
        changes.is_empty(),
        "the public API has changed:\n{changes}if that is intended: UPDATE_API=1 cargo test -p retry-tests --test ui api"
    );
}

impl Source {
    fn read(folder: &Path) -> Self {
        let mut modules = BTreeMap::new();
        for file in files_in(folder) {
            let name = file.strip_prefix(folder).expect("inside").with_extension("");
            let mut module =
                name.iter().map(|part| part.to_string_lossy().into_owned()).collect::<Module>();
            module.pop_if(|last| last == "mod" || last == "lib");
            let text = fs::read_to_string(&file).expect("text");
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{name:?}: {error}"));
            insert(&mut modules, module, file.items);
        }
        Self(modules)
    }

    fn items(&self, module: &Module) -> &[Item] {
        self.0.get(module).map_or(&[], Vec::as_slice)
    }

    /// Finds what a path names that is written in a module.
    fn resolve(&self, module: &Module, path: &[String]) -> Option<Found<'_>> {
        let (first, rest) = path.split_first()?;
        let (mut base, rest) = match first.as_str() {
            "crate" => (Module::new(), rest),
            "self" => (module.clone(), rest),
            "super" => (module[..module.len() - 1].to_vec(), rest),
            _ => (module.clone(), path),
        };
        let (last, modules) = rest.split_last()?;
        for name in modules {
            base.push(name.clone());
            if !self.0.contains_key(&base) {
                return None;
            }
        }
        self.find(&base, last)
    }

    fn find(&self, module: &Module, name: &str) -> Option<Found<'_>> {
        let items = self.items(module);
        let defined = items.iter().find(|item| name_of(item).is_some_and(|found| found == name));
        if let Some(item) = defined {
            return Some(Found::Item(module.clone(), item));
        }
        let imports = items.iter().filter_map(used).flatten();
        let mut imports = imports.filter(|(_, imported)| imported == name);
        // A module may have the name of the function in it.
        imports.find_map(|(path, _)| self.resolve(module, &path)).or_else(|| {
            let inner = [module.as_slice(), &[name.to_owned()]].concat();
            self.0.contains_key(&inner).then_some(Found::Module(inner))
        })
    }
}

enum Found<'a> {
    Module(Module),
    Item(Module, &'a Item),
}

fn insert(modules: &mut BTreeMap<Module, Vec<Item>>, module: Module, items: Vec<Item>) {
    for item in &items {
        if let Item::Mod(inline) = item
            && let Some((_, content)) = &inline.content
        {
            let mut inner = module.clone();
            inner.push(inline.ident.to_string());
            insert(modules, inner, content.clone());
        }
    }
    modules.insert(module, items);
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let entries = entries.map(|entry| entry.expect("a file").path());
    let files = entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The public paths of every item, by the module that defines it and its name there.
struct Api<'a> {
    source: &'a Source,
    paths: BTreeMap<(Module, String), (Vec<String>, &'a Item)>,
    external: BTreeSet<String>,
}

impl<'a> Api<'a> {
    fn walk(&mut self, module: &Module, path: &str) {
        for item in self.source.items(module) {
            let Some((visibility, attributes)) = parts(item) else { continue };
            if !matches!(visibility, Visibility::Public(_)) || is_hidden(attributes) {
                continue;
            }
            match (item, name_of(item)) {
                (_, Some(name)) => self.add(Found::Item(module.clone(), item), path, &name),
                (Item::Mod(inner), _) => {
                    let name = inner.ident.to_string();
                    if name != "guide" {
                        let mut inner = module.clone();
                        inner.push(name.clone());
                        self.walk(&inner, &format!("{path}::{name}"));
                    }
                }
                _ => {
                    for (used, name) in used(item).unwrap_or_default() {
                        match self.source.resolve(module, &used) {
                            Some(found) => self.add(found, path, &name),
                            None => {
                                let used = used.join("::");
                                self.external.insert(format!("{path}::{name} = {used}"));
                            }
                        }
                    }
                }
            }
        }
    }

    fn add(&mut self, found: Found<'a>, path: &str, name: &str) {
        let path = format!("{path}::{name}");
        match found {
            Found::Module(module) => self.walk(&module, &path),
            Found::Item(module, item) => {
                let attributes = parts(item).expect("an item with a name").1;
                if is_hidden(attributes) {
                    return;
                }
                let key = (module, name_of(item).expect("an item with a name"));
                self.paths.entry(key).or_insert((Vec::new(), item)).0.push(path);
            }
        }
    }

    fn lines(mut self) -> BTreeSet<String> {
        let mut lines = self.external;
        for (paths, item) in self.paths.values_mut() {
            paths.sort_by_key(|path| (path.len(), path.clone()));
            paths.dedup();
            let (path, others) = paths.split_first().expect("one at least");
            lines.extend(others.iter().map(|other| format!("{other} = {path}")));
            lines.extend(describe(item).into_iter().map(|line| format!("{path}: {line}")));
        }
        for (module, items) in &self.source.0 {
            for item in items {
                let Item::Impl(block) = item else { continue };
                let Some(name) = self_name(block) else { continue };
                // An `impl` is in the folder of its type.
                let is_its = |(home, defined): &&(Module, String)| {
                    *defined == name && home.first() == module.first()
                };
                let Some(key) = self.paths.keys().find(is_its) else { continue };
                let path = &self.paths[key].0[0];
                lines.extend(methods(block).into_iter().map(|line| format!("{path}: {line}")));
            }
        }
        lines
    }
}

/// Returns the name that an item defines; modules and imports define none.
fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn parts(item: &Item) -> Option<(&Visibility, &[Attribute])> {
    Some(match item {
        Item::Const(item) => (&item.vis, &item.attrs),
        Item::Enum(item) => (&item.vis, &item.attrs),
        Item::Fn(item) => (&item.vis, &item.attrs),
        Item::Mod(item) => (&item.vis, &item.attrs),
        Item::Static(item) => (&item.vis, &item.attrs),
        Item::Struct(item) => (&item.vis, &item.attrs),
        Item::Trait(item) => (&item.vis, &item.attrs),
        Item::Type(item) => (&item.vis, &item.attrs),
        Item::Use(item) => (&item.vis, &item.attrs),
        _ => return None,
    })
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("doc")
            && attribute.meta.to_token_stream().to_string().contains("(hidden)")
    })
}

/// Returns what an import brings, as paths and the names that they get.
fn used(item: &Item) -> Option<Vec<(Vec<String>, String)>> {
    fn collect(tree: &UseTree, before: &[String], leaves: &mut Vec<(Vec<String>, String)>) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => collect(&path.tree, &with(path.ident.to_string()), leaves),
            UseTree::Name(name) if name.ident == "self" => {
                leaves.push((before.to_vec(), before.last().cloned().unwrap_or_default()));
            }
            UseTree::Name(name) => {
                leaves.push((with(name.ident.to_string()), name.ident.to_string()));
            }
            UseTree::Rename(name) => {
                leaves.push((with(name.ident.to_string()), name.rename.to_string()));
            }
            UseTree::Glob(_) => leaves.push((with("*".to_owned()), "*".to_owned())),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| collect(tree, before, leaves));
            }
        }
    }
    let Item::Use(item) = item else { return None };
    let mut leaves = Vec::new();
    collect(&item.tree, &[], &mut leaves);
    Some(leaves)
}

/// Returns the attributes that belong to the interface.
fn kept(attributes: &[Attribute]) -> String {
    let kept = attributes.iter().filter(|attribute| {
        ["cfg", "derive", "non_exhaustive", "must_use"]
            .iter()
            .any(|name| attribute.path().is_ident(name))
    });
    kept.map(|attribute| match attribute.path().is_ident("must_use") {
        true => "#[must_use] ".to_owned(),
        false => format!("{} ", tidy(attribute)),
    })
    .collect()
}

/// Returns the lines of an item itself: its head, its public fields, its variants, what a trait asks and gives.
fn describe(item: &Item) -> Vec<String> {
    let attributes = kept(parts(item).expect("an item with a name").1);
    match item {
        Item::Const(item) => {
            let (ident, ty) = (&item.ident, &item.ty);
            vec![format!("{attributes}{}", tidy(quote!(const #ident: #ty)))]
        }
        Item::Static(item) => {
            let (ident, ty) = (&item.ident, &item.ty);
            vec![format!("{attributes}{}", tidy(quote!(static #ident: #ty)))]
        }
        Item::Fn(item) => vec![format!("{attributes}{}", tidy(&item.sig))],
        Item::Type(item) => {
            let (ident, generics, ty) = (&item.ident, &item.generics, &item.ty);
            vec![format!("{attributes}{}", tidy(quote!(type #ident #generics = #ty)))]
        }
        Item::Struct(item) => {
            let (ident, generics, bounds) =
                (&item.ident, &item.generics, &item.generics.where_clause);
            let mut lines =
                vec![format!("{attributes}{}", tidy(quote!(struct #ident #generics #bounds)))];
            for (index, field) in item.fields.iter().enumerate() {
                if matches!(field.vis, Visibility::Public(_)) && !is_hidden(&field.attrs) {
                    let name = field.ident.as_ref().map_or(index.to_string(), ToString::to_string);
                    lines.push(format!("field {name}: {}", tidy(&field.ty)));
                }
            }
            lines
        }
        Item::Enum(item) => {
            let (ident, generics, bounds) =
                (&item.ident, &item.generics, &item.generics.where_clause);
            let mut lines =
                vec![format!("{attributes}{}", tidy(quote!(enum #ident #generics #bounds)))];
            for variant in item.variants.iter().filter(|variant| !is_hidden(&variant.attrs)) {
                let mut bare = variant.clone();
                bare.attrs.clear();
                bare.fields.iter_mut().for_each(|field| field.attrs.clear());
                lines.push(format!("variant {}{}", kept(&variant.attrs), tidy(bare)));
            }
            lines
        }
        Item::Trait(item) => {
            let (ident, generics, above) = (&item.ident, &item.generics, &item.supertraits);
            let bounds = &item.generics.where_clause;
            let mut lines = vec![format!(
                "{attributes}{}",
                tidy(quote!(trait #ident #generics: #above #bounds))
            )];
            for member in &item.items {
                lines.extend(trait_member(member));
            }
            lines
        }
        _ => Vec::new(),
    }
}

fn trait_member(member: &syn::TraitItem) -> Option<String> {
    match member {
        syn::TraitItem::Fn(member) if !is_hidden(&member.attrs) => {
            let given = if member.default.is_some() { " { … }" } else { "" };
            Some(format!("{}{}{given}", kept(&member.attrs), tidy(&member.sig)))
        }
        syn::TraitItem::Type(member) if !is_hidden(&member.attrs) => {
            let (ident, generics, bounds) = (&member.ident, &member.generics, &member.bounds);
            Some(tidy(quote!(type #ident #generics: #bounds)))
        }
        syn::TraitItem::Const(member) if !is_hidden(&member.attrs) => {
            let (ident, ty) = (&member.ident, &member.ty);
            Some(tidy(quote!(const #ident: #ty)))
        }
        _ => None,
    }
}

fn self_name(block: &ItemImpl) -> Option<String> {
    let Type::Path(path) = &*block.self_ty else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

/// Returns the public methods of an `impl`, or its head if it is one of a trait.
fn methods(block: &ItemImpl) -> Vec<String> {
    let (generics, ty, bounds) = (&block.generics, &block.self_ty, &block.generics.where_clause);
    let attributes = kept(&block.attrs);
    if is_hidden(&block.attrs) {
        return Vec::new();
    }
    if let Some((name, _)) = &block.trait_ {
        return vec![format!("{attributes}{}", tidy(quote!(impl #generics #name for #ty #bounds)))];
    }
    let head = match block.generics.params.is_empty() {
        true => attributes,
        false => format!("{attributes}{} ", tidy(quote!(impl #generics #ty #bounds))),
    };
    let members = block.items.iter().filter_map(|member| match member {
        syn::ImplItem::Fn(member) => Some((
            &member.vis,
            &member.attrs,
            format!("{}{}", kept(&member.attrs), tidy(&member.sig)),
        )),
        syn::ImplItem::Const(member) => {
            let (ident, ty) = (&member.ident, &member.ty);
            Some((&member.vis, &member.attrs, tidy(quote!(const #ident: #ty))))
        }
        _ => None,
    });
    members
        .filter(|(visibility, attributes, _)| {
            matches!(visibility, Visibility::Public(_)) && !is_hidden(attributes)
        })
        .map(|(_, _, text)| format!("{head}{text}"))
        .collect()
}

/// Prints tokens as one would write them.
fn tidy(tokens: impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (from, to) in [
        ("\n", " "),
        (" ::", "::"),
        (":: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" :", ":"),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        ("& ", "&"),
        ("# [", "#["),
        (" ?", "?"),
        ("? ", "?"),
        (",)", ")"),
        (",>", ">"),
    ] {
        text = text.replace(from, to);
    }
    // A bracket follows its name, and nothing else.
    let mut tidied = String::new();
    for (index, part) in text.split(" (").enumerate() {
        if index > 0 {
            let word = tidied.rsplit([' ', '<', '(', ',']).next().unwrap_or_default();
            let is_name = !["in", "for", "where", "as", "mut", "dyn", "+"].contains(&word);
            let ends = tidied.ends_with(|last: char| last.is_alphanumeric() || last == '>');
            let joins = is_name && ends && !tidied.ends_with("->");
            tidied.push_str(if joins { "(" } else { " (" });
        }
        tidied.push_str(part);
    }
    tidied.trim_end_matches([':', ' ', ',']).to_owned()
}
