using System;
using System.Globalization;
#if NET8_0_OR_GREATER
using System.Text.Json;
#else
using System.Runtime.Serialization.Json;
using System.Xml;
#endif

namespace ZoomUserStatus
{
    /// <summary>
    /// What Zoom says of a user who was read, beside the status: see <see cref="UserStatusResult.User"/>. What Zoom does not say is "", 0 or null.
    /// </summary>
    public sealed class UserDetails
    {
        /// <summary>Reads the body of a result of GetStatus. Where it is another one, nothing is known.</summary>
        internal UserDetails(byte[] body)
        {
            Func<string, string> field = Fields(body);
            Id = field("id");
            Email = field("email");
            DisplayName = field("display_name");
            RoleId = field("role_id");
            RoleName = field("role_name");
            Type = int.TryParse(field("type"), NumberStyles.Integer, CultureInfo.InvariantCulture, out int type) ? type : 0;
            Department = field("dept");
            LastLogin = DateTimeOffset.TryParse(field("last_login_time"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at) ? at : (DateTimeOffset?)null;
        }

        /// <summary>Zoom's ID of the user.</summary>
        public string Id { get; }
        /// <summary>The e-mail address.</summary>
        public string Email { get; }
        /// <summary>The name that others see.</summary>
        public string DisplayName { get; }
        /// <summary>The ID of the user's role: "0" is the owner, "1" an admin, whose status can't be changed; "2" a member; or one of the account's own.</summary>
        public string RoleId { get; }
        /// <summary>The role's name: free text, which the account may have changed.</summary>
        public string RoleName { get; }
        /// <summary>The plan: 1 Basic, 2 Licensed, 4 unassigned without Meetings Basic.</summary>
        public int Type { get; }
        /// <summary>The department.</summary>
        public string Department { get; }
        /// <summary>When the user last signed in.</summary>
        public DateTimeOffset? LastLogin { get; }

        /// <summary>"ada@example.com (Member)".</summary>
        /// <returns>The line.</returns>
        public override string ToString() => RoleName.Length == 0 ? Email : Email + " (" + RoleName + ")";

#if NET8_0_OR_GREATER
        /// <summary>The top-level strings and numbers of a JSON object, by name; "" for what it doesn't have.</summary>
        private static Func<string, string> Fields(byte[] body)
        {
            try
            {
                using var document = JsonDocument.Parse(body);
                JsonElement root = document.RootElement.Clone();
                return name => root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number
                    ? value.ToString() : "";
            }
            catch (JsonException) { return _ => ""; }
        }
#else
        /// <summary>The top-level strings and numbers of a JSON object, by name; "" for what it doesn't have.</summary>
        private static Func<string, string> Fields(byte[] body)
        {
            try
            {
                using XmlDictionaryReader reader = JsonReaderWriterFactory.CreateJsonReader(body, XmlDictionaryReaderQuotas.Max);
                var document = new XmlDocument { XmlResolver = null };
                document.Load(reader);
                return name => document.DocumentElement?[name] is XmlElement value && value.GetAttribute("type") is "string" or "number" ? value.InnerText : "";
            }
            catch (XmlException) { return _ => ""; }
        }
#endif
    }
}
