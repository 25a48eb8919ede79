using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>One user that came in: who it is, or why that can't be known.</summary>
    internal sealed class UserInput
    {
        public UserInput(object? input, string userId, string? refused)
        {
            Input = input;
            UserId = userId;
            Refused = refused;
        }

        /// <summary>The string or the object that came in.</summary>
        public object? Input { get; }
        /// <summary>"" where nothing names a user.</summary>
        public string UserId { get; }
        /// <summary>Why nothing is sent for it; null for a user who can be sent.</summary>
        public string? Refused { get; }
    }

    /// <summary>An input that names nobody by any rule. The command ends before anything is sent.</summary>
    internal sealed class NoUserException : Exception
    {
        public NoUserException(string message) : base(message) { }
    }

    /// <summary>
    /// Finds the user in what comes in. A string is a user; an object names one by a property. Nothing is guessed: PowerShell's own binding would
    /// turn an object into a text such as <c>@{Name=Ada}</c>, whose 404 reads as "gone".
    /// </summary>
    internal sealed class UserInputReader
    {
        /// <summary>In this order, without case, spaces and hyphens. Not Id: Entra's is a GUID, and every system has its own.</summary>
        internal static readonly string[] Known = { "UserId", "Email", "EmailAddress", "Mail", "PrimaryEmail", "PrimarySmtpAddress", "UserPrincipalName", "Login" };

        private readonly string? _property;

        public UserInputReader(string? property) => _property = property;

        /// <summary>The users of one input: one, or those of an array.</summary>
        /// <exception cref="NoUserException">It is an object without a property that names a user.</exception>
        public IEnumerable<UserInput> Read(object? input)
        {
            object? bare = Bare(input);
            if (bare is null or string) return new[] { OfText(bare, (string?)bare) };
            if (bare is IList array) return array.Cast<object?>().SelectMany(Read);
            return new[] { OfObject(bare is IDictionary ? bare : input!, bare) };
        }

        private UserInput OfObject(object input, object bare)
        {
            List<Member> members = bare is IDictionary table ? Members(table) : Members(PSObject.AsPSObject(input));
            if (_property != null)
            {
                Member? chosen = members.FirstOrDefault(m => string.Equals(m.Name, _property, StringComparison.OrdinalIgnoreCase));
                return OfMembers(input, new[] { chosen ?? throw NoUser("has no property " + _property, bare, members) });
            }
            bool any = false;
            foreach (string name in Known)
            {
                Member[] named = members.Where(m => string.Equals(Plain(m.Name), name, StringComparison.OrdinalIgnoreCase)).ToArray();
                if (named.Length == 0) continue;
                any = true;
                UserInput user = OfMembers(input, named);
                if (user.UserId.Length != 0 || user.Refused != Empty) return user;
            }
            return any ? new UserInput(input, "", Empty) : throw NoUser("has no property that names a user (" + string.Join(", ", Known) + ")", bare, members);
        }

        private const string Empty = "the input names no user: it is empty";

        /// <summary>The first filled one. Several are spellings of one name, such as Email and E-mail: they must say the same.</summary>
        private static UserInput OfMembers(object input, Member[] members)
        {
            UserInput[] filled = members.Select(m => OfValue(input, m)).Where(u => u.Refused != Empty).ToArray();
            if (filled.Length == 0) return new UserInput(input, "", Empty);
            return filled.All(u => string.Equals(u.UserId, filled[0].UserId, StringComparison.OrdinalIgnoreCase)) ? filled[0]
                : new UserInput(input, "", "the properties " + string.Join(" and ", members.Select(m => m.Name)) + " name different users: choose one with -Property");
        }

        private static UserInput OfValue(object input, Member member)
        {
            object? value = Bare(member.Value());
            if (value is IEnumerable many and not string and not IDictionary)
            {
                object?[] filled = many.Cast<object?>().Select(Bare).Where(v => v is not null and not "").ToArray();
                if (filled.Length > 1) return Not(filled.Length.ToString(CultureInfo.InvariantCulture) + " values");
                value = filled.FirstOrDefault();
            }
            // Exchange's SmtpAddress and the like are their own text. A number, a table or an object is nobody's.
            if (value is null or string) return OfText(input, (string?)value);
            return value is IConvertible or IDictionary or IEnumerable or PSObject || value.ToString() == value.GetType().FullName
                ? Not("a value of the type " + TypeName(value))
                : OfText(input, value.ToString());

            UserInput Not(string what) => new UserInput(input, "", "the property " + member.Name + " holds " + what + ", not one user ID or e-mail address");
        }

        private static UserInput OfText(object? input, string? text)
        {
            string user = (text ?? "").Trim();
            return new UserInput(input, user, Refuse(user));
        }

        private static string? Refuse(string user)
        {
            if (user.Length == 0) return Empty;
            if (user.IndexOfAny(new[] { '?', '\uFFFD' }) >= 0)
                return "the user ID has a character that was lost when a file was read: " + Quoted(user) + ". Read the file in its own encoding: Import-Csv -Encoding utf8, Default or ansi";
            if (user.Any(c => char.IsWhiteSpace(c) || ",;\"<>".IndexOf(c) >= 0))
                return "the input is more than one user ID or e-mail address: " + Quoted(user) + ". Is it a line of a CSV file? Read it with Import-Csv";
            if (user.Equals("me", StringComparison.OrdinalIgnoreCase)) return "Zoom takes \"me\" for the owner of the access token: name the user";
            if (Guid.TryParse(user, out _)) return "the user ID is a GUID, of another system: " + Quoted(user) + ". Zoom's IDs have 22 characters; -Property chooses another property";
            return null;
        }

        private NoUserException NoUser(string what, object bare, List<Member> members)
        {
            string all = members.Count == 0 ? "none" : string.Join(", ", members.Select(m => m.Name));
            char delimiter = members.SelectMany(m => m.Name).FirstOrDefault(c => c is ';' or '\t' or '|');
            string hint = delimiter != default ? "Is the file separated by another character than the comma? Import-Csv -Delimiter " + (delimiter == '\t' ? "\"`t\"" : "'" + delimiter + "'")
                : members.Count == 0 ? "A user is a string, or an object with such a property."
                : _property is null ? "Name the property with -Property." : "Correct -Property.";
            return new NoUserException("An input of the type " + TypeName(bare) + " " + what + ", so nothing was sent. Its properties: " + all + ". " + hint);
        }

        private static string Plain(string name) => new string(name.Where(c => c != '-' && !char.IsWhiteSpace(c)).ToArray());

        internal static string Quoted(string text) => "\"" + (text.Length > 80 ? text.Substring(0, 80) + "..." : text) + "\"";

        private static string TypeName(object value) => value is PSObject ? "PSCustomObject" : value.GetType().Name;

        private static object? Bare(object? value)
        {
            if (value is PSObject wrapped && wrapped.BaseObject is not PSCustomObject) value = wrapped.BaseObject;
            return value is DBNull ? null : value;
        }

        private static List<Member> Members(PSObject input) => input.Properties.Select(p => new Member(p.Name, () => p.Value)).ToList();

        private static List<Member> Members(IDictionary table) =>
            table.Cast<DictionaryEntry>().Where(e => e.Key is string).Select(e => new Member((string)e.Key, () => e.Value)).ToList();

        private sealed class Member
        {
            public Member(string name, Func<object?> value)
            {
                Name = name;
                Value = value;
            }

            public string Name { get; }
            /// <summary>Read only where the name is one that counts: a property may run code.</summary>
            public Func<object?> Value { get; }
        }
    }
}
